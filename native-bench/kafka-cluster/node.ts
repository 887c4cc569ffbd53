import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JVM_FILE } from '#src/kafka/profiles.js';
import type { Reaper } from './reaper.js';
import type { KafkaRelease } from './release.js';

/**
 * Over the flags that ship (config/kafka/broker.jvm): quick to start rather than quick to serve, since a test's load is small, and
 * three of them share two cores.
 */
const JAVA_OPTIONS = [
  '-Xms64m',
  '-Xmx512m',
  '-XX:-UseG1GC',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
];

export interface Java {
  /** The cluster's, with its log4j2.properties. */
  folder: string;
  jarsFolder: string;
  release: Pick<KafkaRelease, 'logsByLog4j1'>;
  options?: readonly string[];
}

/** Arguments of `java` for a main class of Kafka's, logging as the folder's log4j2.properties (log4j.properties) says. */
export function javaArguments(
  { folder, jarsFolder, release, options = JAVA_OPTIONS }: Java,
  mainClass: string,
  args: readonly string[],
): string[] {
  return [
    `@${JVM_FILE}`,
    ...options,
    ...(release.logsByLog4j1
      ? [`-Dlog4j.configuration=file:${join(folder, 'log4j.properties')}`]
      : [`-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`, '-Dlog4j2.disable.jmx=true']),
    '-cp',
    join(jarsFolder, '*'),
    mainClass,
    ...args,
  ];
}

/** The ZooKeeper of a cluster that needs one, in the place of a node. */
export const ZOOKEEPER = 0;

/** The process of one Kafka node, or of the ZooKeeper: at most one at a time, its output in `node-N.log`. */
export class KafkaNode {
  readonly id: number;
  readonly port: number;
  readonly #java: Java;
  readonly #reaper: Reaper;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(id: number, port: number, java: Java, reaper: Reaper) {
    this.id = id;
    this.port = port;
    this.#java = java;
    this.#reaper = reaper;
  }

  readonly host = '127.0.0.1';

  /** Of the running process; undefined when there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Starts the process; it serves some seconds later. */
  start(): void {
    if (this.#child !== undefined) throw new Error(`Kafka node ${this.id} runs already`);
    const log = openSync(this.#logPath, 'a');
    const { folder } = this.#java;
    const properties = join(folder, `node-${this.id}.properties`);
    const child = spawn('java', javaArguments(this.#java, this.#mainClass, [properties]), {
      cwd: folder,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const { pid } = child;
    if (pid !== undefined) this.#reaper.started(pid);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      const end = () => {
        if (pid !== undefined) this.#reaper.ended(pid);
        this.#child = undefined;
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
  }

  get #mainClass(): string {
    return this.id === ZOOKEEPER ? 'org.apache.zookeeper.server.ZooKeeperServerMain' : 'kafka.Kafka';
  }

  /** Sends the signal and answers when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** The last lines of what the node said, over all its starts. */
  logTail(lines = 50): string {
    return readFileSync(this.#logPath, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  get #logPath(): string {
    return join(this.#java.folder, `node-${this.id}.log`);
  }
}
