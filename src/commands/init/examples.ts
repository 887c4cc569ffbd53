/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const INIT_EXAMPLES = `
Examples:
  headrace init
      engine.yaml: Kafka on this machine, the table in a folder.

  headrace init --with s3,clickhouse,sasl production.yaml
      The table in a bucket, ClickHouse beside it, brokers that ask for a login over TLS.

  headrace init - --with s3
      Print it only.
`;
