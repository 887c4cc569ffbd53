/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const AUDIT_EXAMPLES = `
Examples:
  headrace clickhouse audit --config engine.yaml
      Each analytic view against its recomputation from session_metrics, group by group. An engine may go on meanwhile.

  headrace clickhouse audit --model web_clicks --clickhouse http://localhost:8123 --json

Exit codes: 0 no differences, 1 differences, 75 try again later, 78 wrong setting.
`;

export const REBUILD_EXAMPLES = `
Examples:
  headrace clickhouse rebuild --config engine.yaml
      Says what would be done: files and rows of the lake that would replace those in ClickHouse.

  headrace clickhouse rebuild --config engine.yaml --yes
      Does it. Engines may go on: the table takes no rows until it is over, they wait and then go on behind it.

  headrace clickhouse rebuild --config engine.yaml --views --yes
      Only the sums behind the views, from the rows that are in ClickHouse: after rows were taken out by hand.

The user needs the rights of \`headrace clickhouse migrate\`.
Exit codes: 0 done, 75 try again later, 78 wrong setting, or a table that a person must look at.
`;

export const QUERY_EXAMPLES = `
Examples:
  headrace query --model web_clicks --clickhouse http://localhost:8123
      The names of the model's queries, each with what it tells.

  headrace query brands --config engine.yaml --days 7
  headrace query pages --config engine.yaml --format csv --cached-for 60s
      What many people ask: ClickHouse's query cache gives an answer of the last minute again.

  headrace query --config engine.yaml --format json --sql "SELECT count() AS sessions FROM sessions"
`;
