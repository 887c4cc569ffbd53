import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineOptions, EngineProcess } from './engine-process.js';
import { type KafkaCluster, type KafkaClusterOptions, startKafkaCluster } from './kafka-cluster.js';
import { type ProducedRecord, SpineProducer } from './spine-kafka.js';
import { committedEvents, tablePath } from './spine-table.js';

/** One broker and small topics, for what goes wrong: each case has its own topic, group and table. */
export class SmallKafka {
  readonly #engines: EngineProcess[] = [];

  private constructor(
    readonly cluster: KafkaCluster,
    /** Everything of these tests, the broker's data included, lies below. */
    readonly folder: string,
  ) {}

  static async start(options: Pick<KafkaClusterOptions, 'version'> = {}): Promise<SmallKafka> {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-bad-input-'));
    return new SmallKafka(await startKafkaCluster({ brokers: 1, dir: folder, ...options }), folder);
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.kill()));
    await this.cluster.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async createTopic(name: string, partitions = 2): Promise<void> {
    await this.cluster.createTopic({ name, partitions, config: { 'retention.ms': -1 } });
  }

  /** Produces records, each list in batches of its own. */
  async produce(
    topic: string,
    records: readonly ProducedRecord[],
    properties: Record<string, unknown> = {},
  ): Promise<void> {
    const producer = new SpineProducer(this.cluster.bootstrap, properties);
    await producer.connect();
    try {
      await producer.send(topic, records);
      await producer.flush();
    } finally {
      await producer.close();
    }
  }

  /** An engine on a topic, with a table of that name; its group is the topic's name too. */
  engine(topic: string, options: Partial<EngineOptions> = {}): EngineProcess {
    const engine = new EngineProcess({
      brokers: this.cluster.bootstrap,
      topic,
      group: topic,
      lake: this.lakeOf(topic),
      log: join(this.folder, `engine-${this.#engines.length}`),
      ...options,
    });
    this.#engines.push(engine);
    return engine;
  }

  /** Until the ledger has so many events of the topic as done; the engine may not end before. */
  untilCommitted(engine: EngineProcess, topic: string, events: number, withinMs?: number): Promise<void> {
    return engine.until(
      `${events} events are committed`,
      async () => (await committedEvents(this.lakeOf(topic))) >= events,
      withinMs,
    );
  }

  lakeOf(topic: string): string {
    return join(this.folder, `lake-${topic}`);
  }

  /** The file in which the broker keeps a partition's first records. */
  async segmentFile(topic: string, partition: number): Promise<string> {
    const name = join(`${topic}-${partition}`, '00000000000000000000.log');
    const found = (await readdir(this.folder, { recursive: true })).find((path) => path.endsWith(name));
    if (found === undefined) throw new Error(`the broker has no ${name}`);
    return join(this.folder, found);
  }

  /** The dead letters of a topic's table, in order of partition and offset. */
  async deadLetters(topic: string): Promise<StoredLetter[]> {
    const folder = join(await tablePath(this.lakeOf(topic)), '_headrace', 'dead-letters');
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.includes('json'));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
    return lines
      .map((line) => JSON.parse(line) as StoredLetter)
      .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }
}

export interface StoredLetter {
  topic: string;
  partition: number;
  offset: number;
  timestamp_ms: number;
  reason: string;
  detail: string;
  /** Base64. */
  key: string | null;
  value: string | null;
}

export const BASE_MS = Date.parse('2024-03-01T10:00:00Z');

/** A good event of `user`, `atMs` after the base time, with the record's timestamp at its own. */
export function goodRecord(user: string, atMs: number, partition: number): ProducedRecord {
  const timestampMs = BASE_MS + atMs;
  const event = {
    timestamp: new Date(timestampMs).toISOString(),
    user_id: user,
    event_type: 'page_view',
    page_url: `/${atMs}`,
  };
  return { key: user, value: JSON.stringify(event), timestampMs, partition };
}
