/** What the rivals of `bench -- compare` are made of: jars from Maven Central, and our Java sources compiled against them. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { inCheckout } from './checkout.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { KAFKA_VERSION } from './kafka-jars.mjs';
import { prepareMavenJars } from './maven-jars.mjs';
import { filesBelow, hashOf, hashOfFiles } from './stamp.mjs';

const FLINK = '2.2.1';
/** The connector's release for this line of Flink. */
const FLINK_KAFKA = '5.0.0-2.2';
const SPARK = '4.0.0';
const JACKSON = '2.18.2';

/** Every rival has its events read by the same streaming parser, unless its own way to read them is what is measured. */
const JACKSON_CORE = ['com.fasterxml.jackson.core', 'jackson-core', JACKSON];
const LOG4J = ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'];

/** Frameworks by the name of their folder in native-bench/compare/java. */
const FRAMEWORKS = {
  flink: {
    name: `Flink ${FLINK}`,
    folder: `flink-${FLINK}-kafka-${FLINK_KAFKA}-rocksdb-jars`,
    dependencies: [
      ['org.apache.flink', 'flink-clients', FLINK],
      ['org.apache.flink', 'flink-streaming-java', FLINK],
      ['org.apache.flink', 'flink-statebackend-rocksdb', FLINK],
      ['org.apache.flink', 'flink-connector-base', FLINK],
      ['org.apache.flink', 'flink-connector-kafka', FLINK_KAFKA],
      JACKSON_CORE,
      LOG4J,
    ],
  },
  streams: {
    name: `Kafka Streams ${KAFKA_VERSION}`,
    folder: `kafka-streams-${KAFKA_VERSION}-jars`,
    dependencies: [['org.apache.kafka', 'kafka-streams', KAFKA_VERSION], JACKSON_CORE, LOG4J],
  },
  spark: {
    name: `Spark ${SPARK}`,
    folder: `spark-${SPARK}-jars`,
    dependencies: [
      ['org.apache.spark', 'spark-sql_2.13', SPARK],
      ['org.apache.spark', 'spark-sql-kafka-0-10_2.13', SPARK],
    ],
  },
};

/** @returns {import('./rival-jars.d.mts').Frameworks} where each framework's jars and compiled sources lie, there or not */
export function frameworkPlaces() {
  return Object.fromEntries(
    Object.keys(FRAMEWORKS).map((framework) => {
      const { jars, classes } = placesOf(framework);
      return [framework, { jars, classes }];
    }),
  );
}

function placesOf(framework) {
  const { folder } = FRAMEWORKS[framework];
  const java = inCheckout('native-bench', 'compare', 'java');
  const sources = ['common', framework].flatMap((place) =>
    filesBelow(join(java, place), (file) => file.endsWith('.java')),
  );
  const key = hashOf(folder, hashOfFiles(sources)).slice(0, 16);
  return { sources, jars: cachePath(folder), classes: cachePath('compare', `${framework}-${key}`) };
}

/**
 * @param {keyof typeof FRAMEWORKS} framework
 * @param {(note: string) => void} note
 */
async function prepareFramework(framework, note) {
  const { name, dependencies } = FRAMEWORKS[framework];
  const { sources, jars, classes } = placesOf(framework);
  const elements = dependencies.map(
    ([group, artifact, version]) => `    <dependency>
      <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
    </dependency>`,
  );
  const outcome = await prepareMavenJars({ name, dependencies: elements.join('\n'), target: jars, note });
  if (existsSync(classes)) return outcome;
  await ensureCompiler(name, note);
  note(`compiling ${sources.length} files against ${basename(jars)}`);
  await publishFolder(classes, (folder) =>
    runOrFail(
      'javac',
      ['-proc:none', '-Xlint:-options', '-cp', join(jars, '*'), '-d', folder, ...sources],
      `the job for ${name} could not be compiled`,
      { log: logPath('javac') },
    ),
  );
  return 'compiled';
}

async function ensureCompiler(name, note) {
  if ((await run('javac', ['--version'], { timeoutMs: 60_000 })).code === 0) return;
  await ensurePackages(['default-jdk-headless'], `to compile the job for ${name}`, note);
}

/** Which framework each rival of `bench -- compare` needs; one that is not named here needs none. */
const NEEDS = {
  'flink-window': 'flink',
  'flink-tuned': 'flink',
  'flink-window-rocksdb': 'flink',
  'flink-tuned-rocksdb': 'flink',
  streams: 'streams',
  'streams-rocksdb': 'streams',
  spark: 'spark',
};

/**
 * The frameworks that a command line of `bench -- compare` asks for; all without --rivals.
 * @param {string[]} args
 */
export function frameworksFor(args) {
  if (args.includes('--help')) return [];
  const at = args.findLastIndex((arg) => arg === '--rivals' || arg.startsWith('--rivals='));
  if (at < 0) return Object.keys(FRAMEWORKS);
  const names = args[at] === '--rivals' ? (args[at + 1] ?? '') : args[at].slice('--rivals='.length);
  const wanted = new Set(names.split(',').map((name) => NEEDS[name.trim()]));
  return Object.keys(FRAMEWORKS).filter((framework) => wanted.has(framework));
}

/** Steps of the set-up that build them. */
export function frameworkSteps(args) {
  return frameworksFor(args).map((framework) => [
    FRAMEWORKS[framework].name,
    (note) => prepareFramework(framework, note),
  ]);
}
