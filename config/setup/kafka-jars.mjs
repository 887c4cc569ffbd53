/** Apache Kafka itself, for the tests: its jars from Maven Central, in the cache. */
import { cachePath } from './cache-folder.mjs';
import { prepareMavenJars } from './maven-jars.mjs';

export const KAFKA_VERSION = '4.1.1';

/** log4j's bridge is no dependency of Kafka's; without it a broker says nothing at all. */
const DEPENDENCIES = `    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${KAFKA_VERSION}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version>
    </dependency>`;

/** The folder of the jars, there or not. */
export function kafkaJarsFolder() {
  return cachePath(`kafka-${KAFKA_VERSION}-jars`);
}

/** @param {(note: string) => void} note */
export function prepareKafkaJars(note) {
  const name = `Kafka ${KAFKA_VERSION}`;
  return prepareMavenJars({ name, dependencies: DEPENDENCIES, target: kafkaJarsFolder(), note });
}
