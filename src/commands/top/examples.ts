/** Every command line in here is parsed by a test. */
export const TOP_EXAMPLES = `
Examples:
  headrace top
      The engine at http://127.0.0.1:8787, drawn anew every two seconds: how fast, how far behind, sessions, commits, followers, dead letters, memory, lanes.

  headrace top --config engine.yaml
      Where the file's http.listen says, with the token of its http.token_file.

  headrace top --url http://engine-1:8787,http://engine-2:8787 --token-file ./token --sort sessions
      Several engines, their lanes in one table. Columns to sort by: partition, worker, offset, rate, lag, watermark, ring, sessions.

  headrace top --once
      Two looks a second apart, for rates, and an end.

  headrace top --json --interval 5s
      For a script: one JSON object, rates over five seconds; what is not known is null.

It asks /metrics and /ready, as a scraper would, and nothing else; what it costs the engine is bounded.
Exit codes: 0 done, 64 wrong flag, 69 something else listens there, 75 an engine does not answer, or refuses the token, 78 wrong setting.
`;
