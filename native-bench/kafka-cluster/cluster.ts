/**
 * A real Kafka cluster for integration tests and benchmarks: 1 or 3 JVMs on free loopback ports, in a temporary folder.
 *
 * "Up" means that every broker answers Metadata with all brokers; nothing here waits for time to pass. Brokers and
 * folder go when `stop` is called or when this process ends in whatever way.
 */
import { execFile } from 'node:child_process';
import { constants, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import type { Profile } from '#src/kafka/profiles.js';
import { freePorts } from './free-ports.js';
import { tryReadMetadata } from './metadata.js';
import { type Java, javaArguments, KafkaNode, ZOOKEEPER } from './node.js';
import {
  type ListenerProtocol,
  LOG4J_PROPERTIES,
  type NodeAddress,
  nodeProperties,
  type Properties,
  zooKeeperProperties,
} from './node-properties.js';
import { Reaper } from './reaper.js';
import { type KafkaRelease, LOG4J1_PROPERTIES, releaseOf } from './release.js';

const POLL_MS = 100;
const READY_MS_MAX = 300_000;
const START_TRIES = 3;
/** Any from 4.0 on: nothing here tells them apart. */
const USUAL_VERSION = '4.1.1';
const CLUSTER_ID = 'aGVhZHJhY2UtdGVzdHMtMQ';

export interface KafkaClusterOptions {
  brokers: 1 | 3;
  /** Folder of Kafka's jars. */
  jarsFolder: string;
  /** Which Kafka they are, where it is another than the one that tests run against: an old one has one broker only. */
  version?: string;
  /** Of the brokers' JVMs; quick to start by default. */
  javaOptions?: readonly string[];
  /** Begin with a copy of what `keepData` kept; one broker only. */
  data?: string;
  /** Which of the shipped broker settings they begin with; `standard` by default. */
  profile?: Profile;
  /** Broker properties over those and over the ones of node-properties.ts. */
  properties?: Properties;
  /** More listeners of each broker, by name in capital letters; what they need besides is in `properties`. */
  listeners?: Readonly<Record<string, ListenerProtocol>>;
  /** Where the cluster's own folder is made; the system's temporary folder by default. */
  dir?: string;
}

export interface TopicOptions {
  name: string;
  partitions: number;
  /** As many as there are brokers by default. */
  replicationFactor?: number;
  config?: Properties;
}

export type BrokerInfo = Readonly<Pick<KafkaNode, 'id' | 'host' | 'port' | 'pid'>>;

/** Starts a cluster and answers when all brokers serve. Throws with the end of a broker's log when one does not. */
export async function startKafkaCluster(options: KafkaClusterOptions): Promise<KafkaCluster> {
  if (!existsSync(options.jarsFolder)) {
    throw new Error(`there is no Kafka in ${options.jarsFolder}: npm run setup -- --tests`);
  }
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(options.dir ?? tmpdir(), 'headrace-kafka-'));
    const cluster = new KafkaCluster(folder, await freeAddresses(options), options);
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      const lostPort = cluster.brokers.some(({ id }) => /Address already in use/.test(cluster.logTail(id)));
      await cluster.stop();
      if (!lostPort || attempt === START_TRIES) throw error;
    }
  }
}

async function freeAddresses({ brokers, listeners = {} }: KafkaClusterOptions): Promise<NodeAddress[]> {
  const names = Object.keys(listeners);
  const ports = await freePorts(brokers * (2 + names.length));
  return Array.from({ length: brokers }, (_, i) => ({
    id: i + 1,
    port: ports.pop()!,
    controllerPort: ports.pop()!,
    more: Object.fromEntries(names.map((name) => [name, { port: ports.pop()!, protocol: listeners[name]! }])),
  }));
}

export class KafkaCluster {
  readonly #folder: string;
  readonly #nodes: readonly KafkaNode[];
  readonly #reaper: Reaper;
  readonly #java: Java;
  readonly #hasData: boolean;
  readonly #addresses: readonly NodeAddress[];
  readonly release: KafkaRelease;
  /** Null: the nodes are their own quorum. */
  readonly #zooKeeper: KafkaNode | null;

  constructor(folder: string, addresses: readonly NodeAddress[], options: KafkaClusterOptions) {
    const { jarsFolder, javaOptions, data, profile = 'standard', properties = {} } = options;
    this.#folder = folder;
    this.#addresses = addresses;
    this.release = releaseOf(options.version ?? USUAL_VERSION);
    const { release } = this;
    this.#java = {
      folder,
      jarsFolder,
      release,
      ...(javaOptions === undefined ? {} : { options: javaOptions }),
    };
    this.#hasData = data !== undefined;
    this.#reaper = new Reaper(folder);
    this.#nodes = addresses.map(({ id, port }) => new KafkaNode(id, port, this.#java, this.#reaper));
    writeFileSync(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
    writeFileSync(join(folder, 'log4j.properties'), LOG4J1_PROPERTIES);
    this.#zooKeeper = release.needsZooKeeper ? this.#makeZooKeeper() : null;
    for (const node of addresses) {
      const place = this.#dataFolder(node.id);
      if (data === undefined) mkdirSync(place);
      else copyFolder(data, place);
      const text = nodeProperties(node, addresses, place, profile, properties, release);
      writeFileSync(this.#propertiesPath(node.id), text);
      writeFileSync(join(folder, `node-${node.id}.log`), '');
    }
  }

  /** `host:port,host:port,…` of all brokers, running or not. */
  get bootstrap(): string {
    return this.#nodes.map((node) => node.address).join(',');
  }

  /** `host:port,…` of one of the further listeners. */
  bootstrapOf(listener: string): string {
    return this.#addresses.map(({ more }) => `127.0.0.1:${more[listener]!.port}`).join(',');
  }

  /** Numbered from 1. */
  get brokers(): readonly BrokerInfo[] {
    return this.#nodes;
  }

  /** For `startKafkaCluster`. */
  async start(): Promise<void> {
    if (!this.#hasData && this.#zooKeeper === null) await this.#format();
    this.#zooKeeper?.start();
    for (const node of this.#nodes) node.start();
    await this.#untilServing(this.#nodes);
  }

  /** Starts a broker that was ended, with its data and its port, and answers when the others see it. */
  async startBroker(id: number): Promise<void> {
    this.#node(id).start();
    await this.#untilServing(this.#nodes.filter((node) => node.pid !== undefined));
  }

  /** Ends a broker: SIGKILL for a crash, SIGTERM for a controlled shutdown that hands its leaderships over. */
  async killBroker(id: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#node(id).end(signal);
  }

  /** Controlled shutdown, then start. */
  async restartBroker(id: number): Promise<void> {
    await this.killBroker(id, 'SIGTERM');
    await this.startBroker(id);
  }

  /**
   * Creates a topic and answers when all its replicas are in sync and all running brokers know it. It keeps batches as they are
   * produced, whatever the brokers' compression.type: tests send every codec and read it back.
   */
  async createTopic({ name, partitions, replicationFactor, config = {} }: TopicOptions): Promise<void> {
    const admin = new Admin({
      clientId: 'headrace-cluster',
      bootstrapBrokers: [...this.#running()].map(({ host, port }) => ({ host, port })),
    });
    try {
      await admin.createTopics({
        topics: [name],
        partitions,
        replicas: replicationFactor ?? this.#nodes.length,
        configs: Object.entries({ 'compression.type': 'producer', ...config }).map(([key, value]) => ({
          name: key,
          value: String(value),
        })),
      });
    } finally {
      await admin.close();
    }
    await this.untilInSync(name);
  }

  /** Waits until every replica of the topic is in its partition's in-sync set, as all running brokers see it. */
  async untilInSync(topic: string): Promise<void> {
    await this.#until(`all replicas of ${topic} are in sync`, async () => {
      const answers = await Promise.all(
        this.#running().map(({ host, port }) => tryReadMetadata(host, port, [topic])),
      );
      return answers.every((answer) => {
        const partitions = answer?.topics[0]?.partitions ?? [];
        return (
          partitions.length > 0 &&
          partitions.every((p) => p.leaderId >= 0 && p.isrNodes.length === p.replicaNodes.length)
        );
      });
    });
  }

  /** The broker that leads a partition now, as any running broker sees it; -1: nobody. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    for (const { host, port } of this.#running()) {
      const answer = await tryReadMetadata(host, port, [topic]);
      const found = answer?.topics[0]?.partitions.find((p) => p.partitionIndex === partition);
      if (found !== undefined) return found.leaderId;
    }
    return -1;
  }

  /**
   * Runs a main class of Kafka's jars, such as `org.apache.kafka.tools.TopicCommand`, and answers with its standard
   * output. Throws when it ends with another code than 0.
   */
  async tool(className: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { stdout } = await promisify(execFile)('java', javaArguments(this.#java, className, args), {
      cwd: this.#folder,
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** The last lines of a broker's log, over all its starts. */
  logTail(id: number, lines = 50): string {
    return this.#node(id).logTail(lines);
  }

  /** Copies the data of a single broker, which is stopped in order for it, into a folder to be made. */
  async keepData(folder: string): Promise<void> {
    if (this.#nodes.length !== 1) throw new Error('the data of one broker can be kept, not that of several');
    const { id } = this.#nodes[0]!;
    await this.killBroker(id, 'SIGTERM');
    copyFolder(this.#dataFolder(id), folder);
    await this.startBroker(id);
  }

  /** Ends all brokers and removes their data. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes, this.#zooKeeper].map((node) => node?.end('SIGKILL')));
    this.#reaper.finish();
  }

  #makeZooKeeper(): KafkaNode {
    const [first, ...others] = this.#addresses;
    if (others.length > 0) throw new Error('a cluster beside a ZooKeeper has one broker');
    const place = this.#dataFolder(ZOOKEEPER);
    mkdirSync(place);
    writeFileSync(this.#propertiesPath(ZOOKEEPER), zooKeeperProperties(first!, place));
    writeFileSync(join(this.#folder, `node-${ZOOKEEPER}.log`), '');
    return new KafkaNode(ZOOKEEPER, first!.controllerPort, this.#java, this.#reaper);
  }

  /** Kafka formats the folder of one node; the others' are the same but for two ids, and three JVMs for it are a quarter of a start. */
  async #format(): Promise<void> {
    const [{ id: formatted }, ...others] = this.#nodes as readonly [KafkaNode, ...KafkaNode[]];
    const properties = this.#propertiesPath(formatted);
    await this.tool('kafka.tools.StorageTool', ['format', '-t', CLUSTER_ID, '-c', properties]);
    for (const { id } of others) {
      const place = this.#dataFolder(id);
      copyFolder(this.#dataFolder(formatted), place);
      const meta = join(place, 'meta.properties');
      writeFileSync(meta, metaOfNode(readFileSync(meta, 'utf8'), id));
    }
  }

  #dataFolder(id: number): string {
    return join(this.#folder, `node-${id}`);
  }

  #propertiesPath(id: number): string {
    return join(this.#folder, `node-${id}.properties`);
  }

  #node(id: number): KafkaNode {
    const node = this.#nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new Error(`there is no broker ${id}, only 1 to ${this.#nodes.length}`);
    return node;
  }

  #running(): KafkaNode[] {
    return this.#nodes.filter((node) => node.pid !== undefined);
  }

  async #untilServing(nodes: readonly KafkaNode[]): Promise<void> {
    await this.#until(`brokers ${nodes.map(({ id }) => id)} see each other`, async () => {
      for (const node of nodes) {
        if (node.pid === undefined) throw new Error(`broker ${node.id} ended:\n${node.logTail()}`);
      }
      const answers = await Promise.all(nodes.map(({ host, port }) => tryReadMetadata(host, port, [])));
      return answers.every((answer) => nodes.every(({ id }) => answer?.brokers.some((b) => b.nodeId === id)));
    });
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + READY_MS_MAX;
    while (!(await holds())) {
      if (performance.now() > deadline) {
        const logs = this.#nodes.map((node) => `--- broker ${node.id}\n${node.logTail(20)}`).join('\n');
        throw new Error(`not within ${READY_MS_MAX / 1000} s: ${what}\n${logs}`);
      }
      await sleep(POLL_MS);
    }
  }
}

/** What says whose a formatted folder is, for another node: a folder's id, 16 bytes, is its own. */
function metaOfNode(text: string, id: number): string {
  const [, directory] = /^directory\.id=(.+)$/m.exec(text) ?? [];
  if (directory === undefined || !/^node\.id=\d+$/m.test(text))
    throw new Error(`no ids of a node in ${text}`);
  const bytes = Buffer.from(directory, 'base64url');
  bytes[15]! ^= id;
  const own = `directory.id=${bytes.toString('base64url')}`;
  return text.replace(/^node\.id=\d+$/m, `node.id=${id}`).replace(/^directory\.id=.+$/m, own);
}

/** Shares the blocks where the file system can. */
function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}
