/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const MAIN_EXAMPLES = `
Examples:
  headrace demo                            see it work, no server needed
  headrace run --config engine.yaml        run an engine from a file
  headrace run --help                      all settings as flags, with examples

Start the same command a second time, on this machine or another, and the two share the topic.
`;

export const RUN_EXAMPLES = `
Examples:
  headrace run --config engine.yaml
      All settings from a file; config/default.yaml shows every one of them.

  headrace run --brokers localhost:9092 --topic clickstream_events \\
      --group headrace --model clickstream --lake ./lake
      No file: these five are needed. The lake holds the table and the ledger.

  headrace run --config engine.yaml --workers 4 --log-level debug
      Both: flags win over the file.

  headrace run --config engine.yaml --until-end --json
      A backfill: reads what is there now, ends with one JSON object on stdout.

SIGTERM ends it in order: commit, snapshot, exit 0. The next start goes on where it was.
Exit codes: 0 done, 64 wrong flag, 70 our own fault, 75 try again later, 78 wrong setting.
`;

export const DEMO_EXAMPLES = `
Examples:
  headrace demo                            half a minute at full speed
  headrace demo --seconds 10 --json        for a script: one JSON object, exit 1 when figures differ
  headrace demo --events-per-second 50000 --keep
      At a steady rate; the table stays for a look at it.
`;
