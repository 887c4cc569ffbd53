/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const STATUS_EXAMPLES = `
Examples:
  headrace ledger status --lake ./lake
      Asks the table alone: no broker is needed, and an engine may be running.

  headrace ledger status --config engine.yaml
      Asks ClickHouse, the positions' topic and the group, too: how far each of them is.

  headrace ledger status --lake ./lake --json
      For a script; offsets are texts.
`;

export const VERIFY_EXAMPLES = `
Examples:
  headrace ledger verify --config engine.yaml
      Everything for which Kafka still has the events, from each partition's start or oldest snapshot on.

  headrace ledger verify --config engine.yaml --partition 3 --from 2026-01-31T00:00:00Z
      One partition, from the snapshot before that time on.

It reads the topic and the table's files and writes nothing; an engine may be running. It is slow: the
plain reference makes the sessions, not the kernel.
Exit codes: 0 equal, 1 something differs (the first ten differences of each partition are shown), 75 try again later, or
Kafka no longer has the events.
`;

export const SNAPSHOT_EXAMPLES = `
Examples:
  headrace ledger snapshot --lake ./lake
      Before an upgrade or a restart that has to be quick. Engines see the request in the table's folder within seconds.

An engine that was stopped in order (SIGTERM) has written a snapshot of each of its partitions already.
Exit codes: 0 every partition has one, 75 some have none in time.
`;

export const RESET_EXAMPLES = `
Examples:
  headrace ledger reset --config engine.yaml --partition 3 --to 120000
      Shows what it would do, and what that means for the sessions and rows that are there. --yes does it.

  headrace ledger reset --config engine.yaml --partition all --to latest --yes
      Passes over everything that was not read yet.

  headrace ledger reset --config engine.yaml --partition all --to 2026-01-31T12:00:00Z
      Where the first record lies that is as late, by Kafka's timestamp.

Kafka's committed offsets decide nothing: moving them with Kafka's own tools moves no engine.
An engine may be running: it starts the partitions over within seconds.
`;
