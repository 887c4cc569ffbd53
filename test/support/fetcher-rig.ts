import { type Clock, systemClock } from '#src/clock.js';
import type { Isolation } from '#src/config/types.js';
import { Cluster, type ClusterOptions } from '#src/kafka/cluster.js';
import { type FetchEvent, Fetcher, type FetcherOptions, type FetchLimits } from '#src/kafka/fetcher.js';
import { seededRandom } from '#src/random.js';
import { RingConsumer, type RingRecord } from '#src/ring/consumer.js';
import { RecordType, ringBytes } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';
import type { LogFields, PlainLog } from '#src/telemetry/log.js';
import { FakeCluster } from './fake-broker.js';

/** A fetcher with real rings on a fake cluster, and what is needed to watch it. */

/** Our waits pass this much faster than those of sockets and brokers. */
const HASTE = 50;

function hastyClock(sleepsMs: number[]): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now() * HASTE,
    sleep: (ms, signal) => {
      sleepsMs.push(ms);
      return systemClock.sleep(ms / HASTE, signal);
    },
  };
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string;
}

export class TestLog implements PlainLog {
  readonly lines: LogLine[] = [];
  debug = (fields: LogFields, message: string) => this.#add('debug', fields, message);
  info = (fields: LogFields, message: string) => this.#add('info', fields, message);
  warn = (fields: LogFields, message: string) => this.#add('warn', fields, message);
  error = (fields: LogFields, message: string) => this.#add('error', fields, message);

  /** Fields and message of the lines of a level, as text. */
  text(level: LogLine['level']): string {
    const lines = this.lines.filter((line) => line.level === level);
    return lines
      .map(
        ({ fields, message }) =>
          `${message} ${Object.entries(fields).map(([key, value]) => `${key}=${value}`)}`,
      )
      .join('\n');
  }

  #add(level: LogLine['level'], fields: LogFields, message: string): void {
    this.lines.push({ level, fields: fields as Record<string, unknown>, message });
  }
}

/** Takes records out of a ring and remembers them. */
export class TestRing {
  readonly writer: RingWriter;
  readonly records: Pick<RingRecord, 'type' | 'partition' | 'incarnation' | 'offset' | 'aux'>[] = [];
  /** A copy of each record's. */
  readonly payloads: Uint8Array[] = [];
  readonly #consumer: RingConsumer;

  constructor(capacityBytes: number) {
    const place = { buffer: new SharedArrayBuffer(ringBytes(capacityBytes)), baseBytes: 0, capacityBytes };
    this.writer = new RingWriter(new RingProducer(place));
    this.#consumer = new RingConsumer(place);
  }

  drain(): void {
    for (let record = this.#consumer.peek(); record !== null; record = this.#consumer.peek()) {
      const { type, partition, incarnation, offset, aux } = record;
      this.records.push({ type, partition, incarnation, offset, aux });
      this.payloads.push(Uint8Array.from(record.bytes));
      this.#consumer.advance();
    }
  }

  filledBytes(): number {
    return this.#consumer.filledBytes();
  }

  /** Where the lane's data ends; throws when it has a hole or a repetition that no seek explains. */
  endOf(partition: number): bigint | null {
    let end: bigint | null = null;
    for (const record of this.records) {
      if (record.partition !== partition) continue;
      if (record.type === RecordType.seek) {
        end = record.offset;
        continue;
      }
      if (end !== null && record.offset !== end) throw new Error(`a hole: ${end} to ${record.offset}`);
      end = record.aux;
    }
    return end;
  }
}

export interface RigOptions {
  brokers?: number;
  partitions?: number;
  limits?: Partial<FetchLimits>;
  isolation?: Isolation;
  rack?: string;
  cluster?: Partial<ClusterOptions>;
  ringBytes?: number;
  acceptsGap?: FetcherOptions['acceptsGap'];
}

export const testLimits: FetchLimits = {
  partitionFetchBytes: 4_000,
  fetchBytesInFlight: 2 ** 20,
  responseBytesMax: 2 ** 20,
  maxWaitMs: 20,
  minBytes: 1,
};

export class Rig {
  readonly fake: FakeCluster;
  readonly log = new TestLog();
  readonly events: FetchEvent[] = [];
  /** What was slept by our own clock. */
  readonly sleepsMs: number[] = [];
  readonly clock = hastyClock(this.sleepsMs);
  readonly rings: TestRing[];
  cluster!: Cluster;
  fetcher!: Fetcher;
  onEvent: (event: FetchEvent) => void = () => undefined;

  private constructor(fake: FakeCluster, rings: TestRing[]) {
    this.fake = fake;
    this.rings = rings;
  }

  /** Two rings: even partitions have the first one. `prepare` fills the topic before anything connects. */
  static async start(
    options: RigOptions = {},
    prepare: (fake: FakeCluster) => void = () => {},
  ): Promise<Rig> {
    const fake = await FakeCluster.start({
      brokers: options.brokers ?? 1,
      partitions: options.partitions ?? 1,
    });
    prepare(fake);
    const capacity = options.ringBytes ?? 2 ** 17;
    const rig = new Rig(fake, [new TestRing(capacity), new TestRing(capacity)]);
    const limits = { ...testLimits, ...options.limits };
    rig.cluster = await rig.connect({ responseBytesMax: limits.responseBytesMax, ...options.cluster });
    const fetcherOptions: FetcherOptions = {
      cluster: rig.cluster,
      topic: await rig.cluster.topic(fake.topic),
      ringOf: (partition) => rig.ring(partition).writer,
      limits,
      isolation: options.isolation ?? 'read_committed',
      log: rig.log,
      clock: rig.clock,
      random: seededRandom(1),
      onEvent: (event) => {
        rig.events.push(event);
        rig.onEvent(event);
      },
      ...(options.rack === undefined ? {} : { rack: options.rack }),
      ...(options.acceptsGap === undefined ? {} : { acceptsGap: options.acceptsGap }),
    };
    rig.fetcher = new Fetcher(fetcherOptions);
    return rig;
  }

  connect(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
    return Cluster.connect({
      bootstrap: this.fake.bootstrap,
      clientId: 'rig',
      responseBytesMax: testLimits.responseBytesMax,
      requestTimeoutMs: 5_000,
      log: this.log,
      clock: this.clock,
      random: seededRandom(2),
      ...options,
    });
  }

  ring(partition: number): TestRing {
    return this.rings[partition % 2]!;
  }

  /** Drains the rings until the condition holds. */
  async until(condition: () => boolean, options: { drain?: readonly TestRing[] } = {}): Promise<void> {
    while (!condition()) {
      for (const ring of options.drain ?? this.rings) ring.drain();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Drains until all these lanes have been delivered up to their high watermarks. */
  caughtUp(...partitions: number[]): Promise<void> {
    return this.until(() =>
      partitions.every((each) => this.ring(each).endOf(each) === this.fake.partitions[each]!.highWatermark),
    );
  }

  async halted(partition: number): Promise<Extract<FetchEvent, { type: 'lane-halted' }>['error']> {
    const find = () =>
      this.events.find((event) => event.type === 'lane-halted' && event.partition === partition);
    await this.until(() => find() !== undefined);
    const event = find();
    if (event?.type !== 'lane-halted') throw new Error('unreachable');
    return event.error;
  }

  async stop(): Promise<void> {
    await this.fetcher.close();
    await this.cluster.close();
    await this.fake.stop();
  }
}
