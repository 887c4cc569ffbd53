/** The steps of the commands, in the order in which one needs the other. */
import { removeOwnLogs } from './cache-folder.mjs';
import { prepareChromium } from './chromium.mjs';
import { prepareDeltaRs } from './delta-rs.mjs';
import { prepareFlinkJars } from './flink-jars.mjs';
import { prepareHadolint } from './hadolint.mjs';
import { prepareJmxAgent } from './jmx-agent.mjs';
import { NEWEST_KAFKA, OLDEST_KAFKA, prepareBrokers, prepareKafkaJars } from './kafka-jars.mjs';
import { prepareKafkaNative } from './kafka-native.mjs';
import { buildKernel } from './kernel-build.mjs';
import { prepareMinio } from './minio.mjs';
import { proveNativePackages } from './native-proof.mjs';
import { installNodeModules } from './node-modules.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { Progress } from './progress.mjs';
import { prepareSystemTools } from './system-tools.mjs';
import { buildTypeScript } from './typescript-build.mjs';

export const PACKAGES = [
  ['Node.js', () => checkNodeVersion()],
  ['npm packages', installNodeModules],
];
export const SETUP = [
  ...PACKAGES,
  ['native part of kafka-javascript', prepareKafkaNative],
  ['other native packages', proveNativePackages],
];
export const BUILD = [...SETUP, ['kernel', buildKernel], ['TypeScript', buildTypeScript]];
export const KAFKA = ['Apache Kafka', prepareKafkaJars];
export const MINIO = ['MinIO', prepareMinio];
export const TEST_SERVICES = [
  KAFKA,
  ['oldest and newest Kafka for the tests', prepareBrokers([OLDEST_KAFKA, NEWEST_KAFKA])],
  ['JMX agent for the tests', prepareJmxAgent],
  MINIO,
  ['Apache Flink for the tests', prepareFlinkJars],
  ['delta-rs for the tests', prepareDeltaRs],
  ['Chromium for the tests', prepareChromium],
  ['system tools for the tests', prepareSystemTools],
  ['hadolint for the tests', prepareHadolint],
];

/** @param {[string, (note: (text: string) => void) => Promise<string> | string][]} steps */
export async function runSteps(steps) {
  const progress = new Progress(steps.length);
  for (const [title, work] of steps) await progress.step(title, work);
  removeOwnLogs();
}
