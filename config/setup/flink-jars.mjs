/** Apache Flink, for the tests of exported jobs: what runs a script of Flink SQL in one JVM, in the cache. About 140 MB. */
import { cachePath } from './cache-folder.mjs';
import { prepareMavenJars } from './maven-jars.mjs';

export const FLINK_VERSION = '2.0.0';
/** The release of the connector that was made for this line of Flink. */
const KAFKA_CONNECTOR_VERSION = '4.0.1-2.0';

/** The gateway holds what runs a script; the client would need Python's part of Flink. */
const OWN = [
  'flink-clients',
  'flink-sql-gateway',
  'flink-table-planner-loader',
  'flink-table-runtime',
  'flink-connector-base',
  'flink-json',
];
const DEPENDENCIES = [
  ...OWN.map((artifact) => ['org.apache.flink', artifact, FLINK_VERSION]),
  ['org.apache.flink', 'flink-connector-kafka', KAFKA_CONNECTOR_VERSION],
  ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'],
]
  .map(
    ([group, artifact, version]) => `    <dependency>
      <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
    </dependency>`,
  )
  .join('\n');

/** The folder of the jars, there or not. */
export function flinkJarsFolder() {
  return cachePath(`flink-${FLINK_VERSION}-kafka-${KAFKA_CONNECTOR_VERSION}-jars`);
}

/** @param {(note: string) => void} note */
export function prepareFlinkJars(note) {
  const name = `Flink ${FLINK_VERSION}`;
  return prepareMavenJars({ name, dependencies: DEPENDENCIES, target: flinkJarsFolder(), note });
}
