/** Apache Kafka itself, for the tests: its jars from Maven Central, in the cache. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { StepError } from './step-error.mjs';

export const KAFKA_VERSION = '4.1.1';
const JAVA_VERSION_MIN = 17;
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** log4j's bridge is no dependency of Kafka's; without it a broker says nothing at all. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>headrace</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
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
    </dependency>
  </dependencies>
</project>
`;

/** The folder of the jars, there or not. */
export function kafkaJarsFolder() {
  return cachePath(`kafka-${KAFKA_VERSION}-jars`);
}

/** @param {(note: string) => void} note */
export async function prepareKafkaJars(note) {
  await ensureJava(note);
  const target = kafkaJarsFolder();
  if (existsSync(target)) return 'up to date';
  return withLock(
    cachePath('locks', 'kafka-jars'),
    async () => {
      if (existsSync(target)) return 'up to date';
      await ensureMaven(note);
      note(`Kafka ${KAFKA_VERSION} from Maven Central`);
      await download(target);
      return 'downloaded';
    },
    (owner) => note(`waiting for ${owner}, which downloads it`),
  );
}

async function download(target) {
  const project = mkdtempSync(join(tmpdir(), 'headrace-kafka-'));
  try {
    writeFileSync(join(project, 'pom.xml'), POM);
    await runOrFail(
      'mvn',
      [
        '-B',
        '-ntp',
        COPY_DEPENDENCIES,
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(project, 'jars')}`,
      ],
      `Kafka ${KAFKA_VERSION} could not be had from Maven Central`,
      { cwd: project, log: logPath('maven') },
    );
    await publishFolder(target, (folder) => cpSync(join(project, 'jars'), folder, { recursive: true }));
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

async function ensureJava(note) {
  const found = await javaVersion();
  if (found !== undefined && found >= JAVA_VERSION_MIN) return;
  await ensurePackages(
    ['default-jre-headless'],
    `to run Kafka in the tests (Java ${JAVA_VERSION_MIN} or newer)`,
    note,
  );
  const now = await javaVersion();
  if (now !== undefined && now >= JAVA_VERSION_MIN) return;
  throw new StepError(`the tests run a real Kafka, which needs Java ${JAVA_VERSION_MIN} or newer`, {
    remedy: `${now === undefined ? 'no java is in PATH' : `java in PATH is version ${now}`}: put a newer one there`,
  });
}

/** Major version of the java in PATH. */
async function javaVersion() {
  const answer = await run('java', ['--version'], { timeoutMs: 60_000 });
  const match = /^\S+ (\d+)/.exec(answer.stdout);
  return answer.code === 0 && match ? Number(match[1]) : undefined;
}

async function ensureMaven(note) {
  if ((await run('mvn', ['--version'], { timeoutMs: 60_000 })).code === 0) return;
  await ensurePackages(['maven'], 'to fetch Kafka for the tests', note);
}
