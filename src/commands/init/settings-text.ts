/** The files that `headrace init` writes: few settings, each with what it is for, and where all the others are. */

export const PARTS = ['s3', 'clickhouse', 'sasl', 'output'] as const;
export type Part = (typeof PARTS)[number];

/** Valid as it is, and of use when the addresses are right. */
export function settingsText(parts: ReadonlySet<Part>): string {
  const sections = [
    kafka(parts),
    MODEL,
    parts.has('s3') ? LAKE_S3 : LAKE_LOCAL,
    ...(parts.has('clickhouse') ? [CLICKHOUSE] : []),
    ...(parts.has('output') ? [OUTPUT] : []),
    REST,
  ];
  return sections.join('\n');
}

const kafka = (parts: ReadonlySet<Part>) => `# yaml-language-server: $schema=./config.schema.json
# Settings of an engine: headrace run --config FILE. Paths are relative to this file's folder.
# All settings with their defaults: config/default.yaml of the package; \`headrace config schema\` prints the schema named above.

kafka:
  # host:port, several with commas.
  brokers: ${parts.has('sasl') ? 'kafka.example.com:9093' : 'localhost:9092'}
  # One engine reads one topic. Engines of one group share its partitions.
  topic: clickstream_events
  group: headrace
${parts.has('sasl') ? SASL : ''}`;

const SASL = `  security:
    # TLS and a login. ssl: TLS alone, or with a certificate of the engine's own (cert_file, key_file).
    protocol: sasl_ssl
    # PEM, of who signs the brokers' certificates. Without it the authorities that Node knows.
    #ca_file: ./kafka-ca.pem
    # scram-sha-512, scram-sha-256, plain; oauthbearer has token_file or oauth instead of user and password.
    mechanism: scram-sha-512
    username: headrace
    # Holds the password and nothing else; for the engine's user to read only.
    password_file: ./kafka-password
`;

const MODEL = `# What a session is: clickstream, web_clicks, product_analytics, or the path of a model file of your own.
model: clickstream
`;

const LAKE_LOCAL = `# The sessions table, which is the ledger too.
lake:
  path: ./lake
`;

const LAKE_S3 = `# The sessions table, which is the ledger too. The bucket must honour If-None-Match: AWS, MinIO, R2 do.
lake:
  path: s3://my-bucket/sessions
  s3:
    region: eu-central-1
    # For others than AWS: http://minio:9000, https://<account>.r2.cloudflarestorage.com
    #endpoint:
    # Without these the standard chain: environment, profile, the role of the machine or pod.
    #access_key_id_file: ./s3-access-key-id
    #secret_access_key_file: ./s3-secret-access-key
`;

const CLICKHOUSE = `# ClickHouse follows the table. Its tables are made by: headrace clickhouse migrate --config FILE
clickhouse:
  url: http://localhost:8123
  #user: headrace
  #password_file: ./clickhouse-password
`;

const OUTPUT = `# Finished sessions and dead letters as topics beside the source's; headrace topics create makes them.
output: {}
`;

const REST = `# What open sessions may take, per worker; the sum of all memory is checked against the machine at the start.
limits:
  session_memory_bytes: auto
`;
