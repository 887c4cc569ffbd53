/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const FORGET_EXAMPLES = `
Examples:
  headrace forget --config engine.yaml --key user_id=u-4711
      Shows what is there of the person, place by place, and what would be done. --yes does it.

  headrace forget --config engine.yaml --key user_id=u-4711 --yes
      Takes the rows out of the table's files in one version, deletes the files that held them, the rows in ClickHouse, what is in
      snapshots and in dead letters. Engines go on meanwhile.

  headrace forget --config engine.yaml --finish 2f9k1c0d3x7qa --key user_id=u-4711 --yes
      Does what an earlier call had to leave: a session that was still open, a ClickHouse that was down, a follower that was behind.

  headrace forget --config engine.yaml --finish 2f9k1c0d3x7qa --yes
      Deletes only the files that the earlier call took out of the table.

The name is the model's key, or a column that holds a field's first value. The value is written nowhere: not into the table's log,
not into file names, not into messages; so --finish needs it once more. The shell's history and the list of processes have it, unless
--key-file names a file with user_id=… in its first line. No engine has to be stopped for it. What stays is named in the report: the source topic until its retention, sums in ClickHouse's views, bounds in
the statistics of older versions of the log.
Exit codes: 0 all is gone, or was only shown; 75 something is left for --finish; 78 nothing in the model has this name.
`;
