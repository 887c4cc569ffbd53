import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#src/clock.js';
import { type MockKafka, startMockKafka } from '#src/embedded/mock-kafka.js';
import { Producer } from '#src/kafka/producer.js';
import { type EngineOptions, EngineProcess } from './engine-process.js';
import { FakeLog } from './fake-log.js';

/** One mock broker, a topic of shop events and engines on it: for what an engine says of itself. */
export const OPS_TOPIC = 'clicks';

export class OpsRig {
  readonly #engines: EngineProcess[] = [];

  private constructor(
    readonly folder: string,
    readonly kafka: MockKafka,
    readonly producer: Producer,
  ) {}

  static async open(): Promise<OpsRig> {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-ops-'));
    const kafka = await startMockKafka({ brokers: 1 });
    await kafka.createTopic(OPS_TOPIC);
    const options = { brokers: kafka.bootstrap, clientId: 'ops', log: new FakeLog(), clock: systemClock };
    const producer = new Producer({ ...options, extra: {} });
    await producer.connect();
    return new OpsRig(folder, kafka, producer);
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.kill()));
    await this.producer.close(0).catch(() => undefined);
    await this.kafka.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Two events a user, one partition a user, of this moment; and events that are none. */
  async produce(users: readonly number[], atMs: number, broken = 0): Promise<void> {
    const send = (partition: number, text: string) =>
      this.producer.produce(OPS_TOPIC, partition, null, Buffer.from(text), atMs);
    for (const user of users) {
      const event = { timestamp: new Date(atMs).toISOString(), user_id: `u${user}`, event_type: 'click' };
      for (let i = 0; i < 2; i++) send(user % 4, JSON.stringify(event));
    }
    for (let i = 0; i < broken; i++) send(i % 4, '{"broken');
    if ((await this.producer.flush(30_000)) !== 'flushed')
      throw new Error('the mock broker did not take the events');
  }

  engine(name: string, options: Partial<EngineOptions> = {}): EngineProcess {
    const engine = new EngineProcess({
      brokers: this.kafka.bootstrap,
      topic: OPS_TOPIC,
      group: name,
      lake: join(this.folder, `lake-${name}`),
      log: join(this.folder, `engine-${this.#engines.length}`),
      ...options,
      flags: ['--workers', '1', '--cut-interval', '200ms', ...(options.flags ?? [])],
    });
    this.#engines.push(engine);
    return engine;
  }
}

/** Where an engine listens, as its log says. */
export async function urlOf(engine: EngineProcess): Promise<string> {
  await engine.untilSays(/"url":"http/);
  return /"url":"(http[^"]+)"/.exec(engine.output)![1]!;
}

/** The values of an exposition, by the series as it stands there. */
export async function metricsOf(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    series.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
