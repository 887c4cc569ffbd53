/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const CONFIG_EXAMPLES = `
Examples:
  headrace config print --config engine.yaml
      Every setting with its value, and whether a flag, a line of the file or the default gave it; what auto comes to here.

  headrace config print --config engine.yaml --workers 4 --json
      As run would have it with these flags. No secret is in it: those lie in files, and properties that sound like one are struck out.

  headrace config schema > config.schema.json
      config/config.schema.json is the same. Editors that know YAML use it where a file begins with
      # yaml-language-server: $schema=config.schema.json
`;
