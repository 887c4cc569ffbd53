/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const KAFKA_CHECK_EXAMPLES = `
Examples:
  headrace kafka check --brokers localhost:19092
      Each broker's settings beside config/kafka/standard.properties, the topics beside config/kafka/topics.yaml, and the replicas
      of all topics: what differs, why it matters, and the command that mends it.

  headrace kafka check --config engine.yaml --profile throughput --json
      Beside the settings for a million events a second; for a script.

  headrace kafka check --brokers localhost:9092 --development
      A cluster that is small on purpose: as many copies as it has brokers will do.

Flags of the brokers' JVM can't be asked for: config/kafka/broker.jvm has them.
Exit codes: 0 all as recommended, 1 something differs, 75 no broker answers.
`;
