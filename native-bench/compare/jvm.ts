import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every JVM among the rivals gets the same heap, and logs errors only. */
const HEAP = ['-Xms2g', '-Xmx2g'];
const LOG4J_PROPERTIES = `appender.err.type=Console
appender.err.name=err
appender.err.target=SYSTEM_ERR
appender.err.layout.type=PatternLayout
appender.err.layout.pattern=%d{HH:mm:ss.SSS} %-5p %m (%c{1})%n%ex
rootLogger.level=ERROR
rootLogger.appenderRef.err.ref=err
`;
/** What Flink and Spark reach into: the lists that their own start scripts have. */
const OPENED = [
  ...['lang', 'lang.invoke', 'lang.reflect', 'io', 'net', 'nio', 'text', 'time', 'util', 'util.concurrent'],
  ...['util.concurrent.atomic', 'util.concurrent.locks'],
].map((name) => `java.${name}`);
const OPENED_TOO = [
  'jdk.internal.ref',
  'sun.nio.ch',
  'sun.nio.cs',
  'sun.security.action',
  'sun.util.calendar',
];

/** Before the class path; `folder`: for the file that says what is logged. */
export function jvmArguments(folder: string, flags: readonly string[]): string[] {
  const log = join(folder, 'log4j2.properties');
  writeFileSync(log, LOG4J_PROPERTIES);
  return [
    ...HEAP,
    ...[...OPENED, ...OPENED_TOO].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    `-Dlog4j2.configurationFile=${log}`,
    '-Dlog4j2.disable.jmx=true',
    ...flags,
  ];
}

/** The whole command line of one of our jobs. */
export function jobArguments(
  framework: { jars: string; classes: string },
  mainClass: string,
  args: readonly (string | number)[],
  folder: string,
  flags: readonly string[],
): string[] {
  return [
    ...jvmArguments(folder, flags),
    '-cp',
    `${framework.classes}:${join(framework.jars, '*')}`,
    `headrace.compare.${mainClass}`,
    ...args.map(String),
  ];
}
