/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const LIST_EXAMPLES = `
Examples:
  headrace dlq list --lake ./lake
      How many there are, by reason and partition, and the newest ones. Asks the table alone: no broker is needed.

  headrace dlq list --lake ./lake --reason missing_field,wrong_type --partition 3
      Only these.

  headrace dlq list --lake ./lake --from 2026-01-31T08:00:00Z --to 2026-01-31T09:00:00Z --json
      By the record's Kafka timestamp, both ends included; --from 1200 --to 1300 means offsets. For a script.
`;

export const SHOW_EXAMPLES = `
Examples:
  headrace dlq show --lake ./lake 3:1204
      The letter at offset 1204 of partition 3: why it was refused, its headers, its key, its event with the place marked.

  headrace dlq show --lake ./lake 3:1204:7
      Of a message of several events (MessagePack) the eighth.

  headrace dlq show --lake ./lake 3:1204 --json
      For a script; key and value are base64, too. With --config instead of --lake the model is known: what is late or too
      early has the mark at its time.
`;

export const REPLAY_EXAMPLES = `
Examples:
  headrace dlq replay --config engine.yaml --reason future
      Shows what it would send. --yes does it.

  headrace dlq replay --config engine.yaml --partition 3 --from 1200 --to 1300 --yes
      Key and value go to the end of the same partition of the source topic, as they came; the engine then takes them like any
      other event. An engine may be running.

A letter goes once: what went is noted, in the same transaction, in the compacted topic <topic>_dlq_replays, so that a
second call, or one after a crash, doubles nothing. What the model would refuse again stays, unless --refused-too. An event
that was late is as late again, unless the partition was started over; it then becomes another letter.
Every reader of the topic gets the event again, not only this engine.
Exit codes: 0 done, 75 try again later.
`;
