/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const MODEL_EXAMPLES = `
Examples:
  headrace model check ./shop.yaml
  headrace model explain clickstream
  headrace model test ./shop.yaml --events shop.events.jsonl --expected shop.rows.jsonl
  headrace model schema
  headrace model export --to flink-sql clickstream
`;

export const CHECK_EXAMPLES = `
Examples:
  headrace model check ./shop.yaml ./news.yaml
      Says all that is wrong in a file, with line, path and what may be meant.

Exit codes: 0 right, 78 wrong.
`;

export const EXPLAIN_EXAMPLES = `
Examples:
  headrace model explain clickstream
      A shipped model: its fields, when a session begins and ends, its columns with their types in ClickHouse and Delta.

  headrace model explain ./shop.yaml --json
      One of your own, for a script.
`;

export const TEST_EXAMPLES = `
Examples:
  headrace model test ./shop.yaml --events shop.events.jsonl --expected shop.rows.jsonl --write
      Writes the rows that the events give: look at them, and keep them beside the model.

  headrace model test ./shop.yaml --events shop.events.jsonl --expected shop.rows.jsonl
      Compares from then on, in your own CI. A row need only hold the columns that matter to you.

Events: a line each, as on the topic, in the order of one partition. Sessions still open at the end are let out.
A line {"$record": {"timestamp_ms": 1767225600000, "value": …}} gives an event the Kafka timestamp it had.
Rows: JSON as in the output topic; {"$dead_letter": {"line": 7, "reason": "late"}} for an event that is refused.
The plain reference makes the rows; the kernel is held to the same ones by our own tests.
Exit codes: 0 as expected, 1 not, 78 a model or a file that is wrong.
`;

export const SCHEMA_EXAMPLES = `
Examples:
  headrace model schema > model.schema.json
      The form of a model file as JSON schema. config/models/model.schema.json is the same: editors that know YAML use it
      where a file begins with  # yaml-language-server: $schema=model.schema.json
`;

export const EXPORT_EXAMPLES = `
Examples:
  headrace model export --to flink-sql clickstream --topic clickstream_events
      A script for Flink's SQL client, from Kafka to Kafka; the head says what Flink does otherwise.

  headrace model export --to clickhouse-sql ./my-model.yaml
      One query over the raw records in a table: a second opinion on what an engine has written.

  headrace model export --to spark web_clicks --brokers kafka:9092 --until-end
      A job in PySpark over what the topic holds now.

  headrace model export --to flink-sql web_clicks --json
      For a script: {"text": …, "not_expressed": […]}.

It reads the model and nothing else, and runs nothing.
`;
