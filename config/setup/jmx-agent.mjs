/** Prometheus' JMX agent, for the tests of `headrace monitor`: what a broker tells of itself. */
import { join } from 'node:path';
import { cachePath } from './cache-folder.mjs';
import { prepareMavenJars } from './maven-jars.mjs';

export const JMX_AGENT_VERSION = '1.0.1';
const DEPENDENCIES = `    <dependency>
      <groupId>io.prometheus.jmx</groupId><artifactId>jmx_prometheus_javaagent</artifactId><version>${JMX_AGENT_VERSION}</version>
    </dependency>`;

function folder() {
  return cachePath(`jmx-agent-${JMX_AGENT_VERSION}`);
}

/** The jar, there or not. */
export function jmxAgentJar() {
  return join(folder(), `jmx_prometheus_javaagent-${JMX_AGENT_VERSION}.jar`);
}

/** @param {(note: string) => void} note */
export function prepareJmxAgent(note) {
  const name = `Prometheus' JMX agent ${JMX_AGENT_VERSION}`;
  return prepareMavenJars({ name, dependencies: DEPENDENCIES, target: folder(), note });
}
