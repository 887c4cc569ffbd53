/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const FOLD_EXAMPLES = `
Examples:
  headrace lake fold --config engine.yaml
      Takes rows and the −rows that take them back out of the table, together: what is left of a session that changed is one row, and
      Σ sign·x is what it was. Engines go on meanwhile; what they take away first is left to the next call.

  headrace lake fold --config engine.yaml --partition 2026-01-31 --fast --json
      One day, without the limit on I/O, and a JSON object of what was done.

Until a fold, multiply by sign: SELECT session_date, sum(sign) AS sessions, sum(sign * total_events) FROM sessions GROUP BY 1.
Exit codes: 0 done; 75 all was given up, since others rewrote the same files: call again.
`;

export const COMPACT_EXAMPLES = `
Examples:
  headrace lake compact --config engine.yaml
      Small files of each partition become large ones, in the order of lake.maintenance.cluster_by. No row changes.

  headrace lake compact --config engine.yaml --all --cluster-by country,session_start --partition 2026-01-31
      Writes a day's files again, large ones too, with their rows in another order.

Exit codes: 0 done; 75 all was given up, since others rewrote the same files: call again.
`;

export const VACUUM_EXAMPLES = `
Examples:
  headrace lake vacuum --config engine.yaml
      Shows which files are in the table no more and could go: those that were taken out longer ago than the retention, and those
      that no version names and are older than a week. A file that a follower still has to read stays, and it says which follower.

  headrace lake vacuum --config engine.yaml --yes
      Deletes them.

  headrace lake vacuum --config engine.yaml --retention 1h --force --yes
      Also those that were taken out an hour ago: versions before can't be read or restored then.

Exit codes: 0 done, or shown; 64 a retention below 7d without --force.
`;

export const EXPIRE_EXAMPLES = `
Examples:
  headrace lake expire --config engine.yaml --older-than 90d
      Shows which partitions are older than 90 days.

  headrace lake expire --config engine.yaml --older-than 90d --yes
      Takes them out of the table in one version. Their files go with a vacuum; ClickHouse and topics keep what they have.

Exit codes: 0 done, or shown; 75 others took some of it out at the same time: call again.
`;

export const ARCHIVE_EXAMPLES = `
Examples:
  headrace lake archive --config engine.yaml --older-than 365d --to /archive/sessions
      Shows which partitions are older than a year.

  headrace lake archive --config engine.yaml --older-than 365d --to /archive/sessions --yes
      Copies their files to a Delta table of its own, takes them out of this one, and puts them into that one. A call that was ended
      in between is finished by the next.

Exit codes: 0 done, or shown; 75 others took some of it out at the same time: call again.
`;
