/** Apache Kafka itself, for the tests: its jars from Maven Central, in the cache. */
import { cachePath } from './cache-folder.mjs';
import { prepareMavenJars } from './maven-jars.mjs';
import { compareVersions } from './node-version.mjs';

/** What all tests run against, unless they say otherwise. */
export const KAFKA_VERSION = '4.1.1';
/** The oldest that engines work with: the first with topic ids. */
export const OLDEST_KAFKA = '2.8.2';
/** The newest that Maven Central has. */
export const NEWEST_KAFKA = '4.4.0';
/** What `npm run test:fault -- compatibility` runs, oldest first. 3.3 is the first whose KRaft is no preview, 3.9 the last with ZooKeeper. */
export const BROKER_VERSIONS = [OLDEST_KAFKA, '3.3.2', '3.9.2', KAFKA_VERSION, NEWEST_KAFKA];
/** The newest that engines refuse. */
export const TOO_OLD_KAFKA = '2.7.2';

/** What Kafka logs by is no dependency of its own; without it a broker says nothing at all. */
function logging(version) {
  if (compareVersions(version, '4.0.0') >= 0)
    return ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'];
  // brings reload4j, the maintained log4j 1, whose classes these brokers load by name
  return ['org.slf4j', 'slf4j-reload4j', '1.7.36'];
}

function dependencies(version) {
  const [group, artifact, loggingVersion] = logging(version);
  // only tests of one version call Kafka's tools
  const tools = `
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${version}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
      </exclusions>
    </dependency>`;
  return `    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
    </dependency>${version === KAFKA_VERSION ? tools : ''}
    <dependency>
      <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${loggingVersion}</version>
    </dependency>`;
}

/** The folder of the jars, there or not. Where a version needs ZooKeeper, that is among them. */
export function kafkaJarsFolder(version = KAFKA_VERSION) {
  return cachePath(`kafka-${version}-jars`);
}

/** @param {(note: string) => void} note */
export function prepareKafkaJars(note, version = KAFKA_VERSION) {
  const target = kafkaJarsFolder(version);
  return prepareMavenJars({ name: `Kafka ${version}`, dependencies: dependencies(version), target, note });
}

/**
 * The same for several versions, one after the other.
 * @param {readonly string[]} versions
 */
export function prepareBrokers(versions) {
  return async (/** @type {(note: string) => void} */ note) => {
    const outcomes = [];
    for (const version of versions) outcomes.push(await prepareKafkaJars(note, version));
    return outcomes.includes('downloaded') ? 'downloaded' : 'up to date';
  };
}
