/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const MAIN_EXAMPLES = `
Examples:
  headrace demo                            see it work, no server needed
  headrace init                            write a file with settings; --with s3,clickhouse,sasl
  headrace check --config engine.yaml      would it find all that it needs? Each with the remedy
  headrace run --config engine.yaml        run an engine from a file
  headrace run --help                      all settings as flags, with examples
  headrace model explain clickstream       what a shipped model holds; check and test your own
  headrace clickhouse migrate --help       the tables in ClickHouse, with examples
  headrace model export --help             the same sessions as a job for Flink, Spark or ClickHouse
  headrace lake --help                     the table through time: history, read, diff, restore
  headrace kafka check --help              is the cluster as recommended, and what mends it
  headrace topics --help                   the models' topics: plan them, make them, check them
  headrace produce --help                  realistic events into a topic, at a rate or for load
  headrace monitor --help                  brokers, topics and groups in one view; checks for scripts
  headrace top                             running engines, live: rates, lag, sessions, lanes, memory
  headrace tap --help                      a live sample of events, sessions or dead letters
  headrace systemd install --help          an engine, or several, as services of this machine
  headrace forget --help                   take one person out of everything, with examples

eval "$(headrace completion bash)" (or zsh) makes the shell complete commands and flags.
Start the same command a second time, on this machine or another, and the two share the topic.
`;

export const RUN_EXAMPLES = `
Examples:
  headrace run --config engine.yaml
      All settings from a file; config/default.yaml shows every one of them.

  headrace run --brokers localhost:9092 --topic clickstream_events \\
      --group headrace --model clickstream --lake ./lake
      No file: these five are needed. The lake holds the table and the ledger.

  headrace run --config engine.yaml --clickhouse http://localhost:8123
      And into ClickHouse, whose tables \`headrace clickhouse migrate\` has made.

  headrace run --config engine.yaml --workers 4 --log-level debug
      Both: flags win over the file.

  headrace run --config engine.yaml --until-end --json
      A backfill: reads what is there now, ends with one JSON object on stdout.

SIGTERM ends it in order: commit, snapshot, exit 0. The next start goes on where it was.
Exit codes: 0 done, 64 wrong flag, 70 our own fault, 75 try again later, 78 wrong setting.
`;

export const CLICKHOUSE_EXAMPLES = `
Examples:
  headrace clickhouse migrate --config engine.yaml      tables and views, or what of them is missing
  headrace clickhouse audit --config engine.yaml        does each view say what its rows say?
  headrace clickhouse rebuild --config engine.yaml      the table anew from the lake
`;

export const MIGRATE_EXAMPLES = `
Examples:
  headrace clickhouse migrate --model clickstream --clickhouse http://localhost:8123
      Makes database, tables and views, and says each; what is there already is left as it is.

  headrace clickhouse migrate --config engine.yaml --dry-run
      The engine's file will do. Shows the statements and runs none: for whoever runs them by hand.

  headrace clickhouse migrate --config engine.yaml \\
      --clickhouse-user admin --clickhouse-password-file admin.secret
      As somebody who may make tables; the engine's own user needs SELECT and INSERT only.

It creates, adds columns and raises settings; of session_metrics it never drops, renames or rewrites anything. Where that
would be needed it does nothing and says what to do. Sums behind analytic views are filled from rows that are there already;
meanwhile the table takes no rows, engines wait and then go on.
Exit codes: 0 done or nothing to do, 75 try again later, 78 wrong setting or a table that a person must look at.
`;

export const DEMO_EXAMPLES = `
Examples:
  headrace demo                            half a minute at full speed
  headrace demo --seconds 10 --json        for a script: one JSON object, exit 1 when figures differ
  headrace demo --events-per-second 50000 --keep
      At a steady rate, shared by the two models; the tables stay for a look at them.
`;

export const SERVICE_EXAMPLES = `
Examples:
  headrace check --config engine.yaml             would an engine start and work? A line each, with what to do
  headrace check --config engine.yaml --json      for a script: { "ok": …, "checks": [ … ] }

It reads settings and model, asks the brokers, looks for the topic and its offsets, tries on small objects that the table's place
refuses a second write under one name, and compares ClickHouse's tables and settings with what is needed. It changes nothing.
Exit codes: 0 all is well, 75 something can't be reached now, 78 something must be changed.
`;
