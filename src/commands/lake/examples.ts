/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const HISTORY_EXAMPLES = `
Examples:
  headrace lake history --lake ./lake
      What each version did: files and rows that came and went, lanes that it moved, who wrote it. The oldest first.

  headrace lake history --lake ./lake --limit 20
      The newest twenty.

  headrace lake history --config engine.yaml --json
      For a script: an array, one object a version; offsets are texts.

Where the log was cleaned up it begins with the oldest version that is left, and says so.
`;

export const SHOW_EXAMPLES = `
Examples:
  headrace lake show --lake ./lake
      Columns, properties, partitions with their sizes, lanes and how far they are, checkpoints.

  headrace lake show --lake ./lake --as-of '2h ago'
      As it was. Also --as-of 2026-01-31T12:00:00+01:00, or --version 120.

  headrace lake show --lake ./lake --files --json
      With every file, for a script.
`;

export const READ_EXAMPLES = `
Examples:
  headrace lake read --lake ./lake --where session_date=2026-01-31 --columns session_id,country,total_events
      Each session once, as it is now. Only files that may hold such rows are read.

  headrace lake read --lake ./lake --as-of '2h ago' --format csv --output before.csv
      As it was two hours ago. Also --as-of 2026-01-31T12:00:00+01:00, or --version 120.

  headrace lake read --lake ./lake --format parquet --output sessions.parquet \\
      --where 'country = DE' --where 'total_events >= 5'
      All conditions have to hold. Comparisons are =, !=, <, <=, >, >=, and 'country is null', 'country is not null'.

  headrace lake read --lake ./lake --changes --format jsonl --limit 10
      The rows as they are in the files, with their sign: one with -1 takes back the one that it repeats.

Any Delta table can be read, also one that headrace did not write. Memory is bounded by one file and the rows with sign -1 of one
partition, however large the table is. In CSV nothing between two commas is null; times are UTC.
`;

export const DIFF_EXAMPLES = `
Examples:
  headrace lake diff --lake ./lake 120 140
      Sessions added, changed (old → new) and removed from version 120 to 140, counted by partition. Files of both are not read.

  headrace lake diff --lake ./lake 120 140 --where session_date=2026-01-31 --limit 1000
      Of one day, and more of them one by one.

  headrace lake diff --lake ./lake 120 140 --check --json
      For a script: exit 1 when a session differs. A fold or a compaction between the two makes no difference.
`;

export const RESTORE_EXAMPLES = `
Examples:
  headrace lake restore --lake ./lake --version 120
      Shows which files would go and which would come back, and what that means. --yes does it, by a new version.

  headrace lake restore --lake ./lake --version 120 --yes
      An engine may be running: it goes on where it is. What it commits before the restore is taken out, too.

Only the table changes: partitions stay where they are, and ClickHouse and output topics keep what they have. A version of which
a vacuum has deleted files can't come back, nor one with rows of a person who was erased since.
Exit codes: 0 done or shown, 64 no such version, 70 files are gone.
`;

export const CHECK_EXAMPLES = `
Examples:
  headrace lake check --lake ./lake
      Every file there with its size, cuts that join, checkpoints equal to the log; statistics and sums of signs of some files.

  headrace lake check --config engine.yaml --full --json
      All files are read; for a script.

Nothing is written; an engine may be running.
Exit codes: 0 sound, 1 something is not as it should be (each on one line), 70 the log can't be read.
`;
