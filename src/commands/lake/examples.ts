/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const READ_EXAMPLES = `
Examples:
  headrace lake read --lake ./lake --where session_date=2026-01-31 --columns session_id,country,total_events
      Each session once, as it is now. Only files that may hold such rows are read.

  headrace lake read --lake ./lake --as-of '2h ago' --format csv --output before.csv
      As it was two hours ago. Also --as-of 2026-01-31T12:00:00+01:00, or --version 120.

  headrace lake read --lake ./lake --format parquet --output sessions.parquet --where 'country = DE' --where 'total_events >= 5'
      All conditions have to hold. Comparisons are =, !=, <, <=, >, >=, and 'country is null', 'country is not null'.

  headrace lake read --lake ./lake --changes --format jsonl --limit 10
      The rows as they are in the files, with their sign: one with -1 takes back the one that it repeats.

Any Delta table can be read, also one that headrace did not write. Memory is bounded by one file, however large the table is.
In CSV nothing between two commas is null; times are UTC.
`;
