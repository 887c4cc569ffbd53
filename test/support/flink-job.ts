import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { flinkJarsFolder } from '../../config/setup/flink-jars.mjs';

/**
 * A script of Flink SQL, run to its end by Flink's own driver in one JVM: statement by statement, each job in a MiniCluster.
 */

const RUN_MS_MAX = 400_000;
const JAVA_OPTIONS = ['-Xms128m', '-Xmx900m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** What Flink's start scripts open of Java 17. */
const OPENED = ['lang', 'lang.invoke', 'lang.reflect', 'io', 'net', 'nio', 'text', 'time', 'util'].concat([
  'util.concurrent',
  'util.concurrent.atomic',
  'util.concurrent.locks',
]);

const CONFIG = `execution.target: local
table.dml-sync: true
parallelism.default: 2
taskmanager.numberOfTaskSlots: 2
classloader.resolve-order: parent-first
rest.port: 0
`;

const LOGGING = `rootLogger.level = ERROR
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1} %m%n%ex
`;

/** Answers with what Flink said. Throws with it when a statement or a job fails. `folder`: for the script and settings. */
export async function runFlinkScript(folder: string, script: string): Promise<string> {
  const jars = flinkJarsFolder();
  const driver = (await jarsOf(jars)).find((name) => name.startsWith('flink-table-runtime-'));
  if (driver === undefined) throw new Error(`there is no Flink in ${jars}: npm run setup -- --tests`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'job.sql');
  await writeFile(file, script);
  await writeFile(join(folder, 'config.yaml'), CONFIG);
  await writeFile(join(folder, 'log4j2.properties'), LOGGING);
  const args = [
    ...JAVA_OPTIONS,
    ...OPENED.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
    `-Djava.io.tmpdir=${folder}`,
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
    '-cp',
    join(jars, '*'),
    'org.apache.flink.client.cli.CliFrontend',
    'run',
    '--class',
    'org.apache.flink.table.runtime.application.SqlDriver',
    join(jars, driver),
    '--scriptUri',
    pathToFileURL(file).href,
  ];
  const env = { ...process.env, FLINK_CONF_DIR: folder };
  try {
    const options = { cwd: folder, env, timeout: RUN_MS_MAX, maxBuffer: 64 * 2 ** 20 };
    const { stdout } = await promisify(execFile)('java', args, options);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const causes = stderr.split('\n').filter((line) => /^(Caused by|ERROR|org\.apache)/.test(line));
    throw new Error(`Flink did not run the script:\n${causes.join('\n')}\n${stdout.slice(-2_000)}`);
  }
}

function jarsOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
