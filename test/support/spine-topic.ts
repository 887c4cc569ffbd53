import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineOptions, EngineProcess } from './engine-process.js';
import { type KafkaCluster, startKafkaCluster } from './kafka-cluster.js';
import { type OracleRow, type OracleSession, RawRecordFile } from './oracle.js';
import { makeSpineEvents, type SpineEvent, type SpineProfile } from './spine-events.js';
import { endOffsets, exportTopic, SpineProducer } from './spine-kafka.js';
import { CLICKSTREAM, type SpineModel } from './spine-model.js';

/**
 * One real cluster with one topic of awkward events, shared by the spine's scenarios. The first half is there from the
 * start; the second comes when a scenario asks for it, at the pace that scenario wants.
 */

export const TOPIC = CLICKSTREAM.topic;
export const PARTITIONS = 24;
const CHUNK_EVENTS = 2000;

export class SpineTopic<Session extends OracleRow = OracleSession> {
  readonly #events: SpineEvent[];
  readonly #half: number;
  readonly #producer: SpineProducer;
  readonly #engines: { name: string; process: EngineProcess }[] = [];
  #secondHalf: Promise<void> | null = null;
  #sessions: Promise<Session[]> | null = null;
  #halfSessions: Promise<Session[]> | null = null;
  /** End offsets of the first half, by partition. */
  readonly halfEnds: number[] = [];

  private constructor(
    readonly cluster: KafkaCluster,
    readonly folder: string,
    readonly model: SpineModel<Session>,
    profile: SpineProfile,
  ) {
    const { events, half } = makeSpineEvents(profile, model.form);
    this.#events = events;
    this.#half = half;
    this.#producer = new SpineProducer(cluster.bootstrap, { 'compression.codec': model.compression });
  }

  static create(profile: SpineProfile): Promise<SpineTopic> {
    return SpineTopic.of(CLICKSTREAM, profile);
  }

  static async of<Session extends OracleRow>(
    model: SpineModel<Session>,
    profile: SpineProfile,
  ): Promise<SpineTopic<Session>> {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-spine-'));
    const cluster = await startKafkaCluster({ brokers: 3 });
    const topic = new SpineTopic(cluster, folder, model, profile);
    // old events meet retention, so they are kept for ever
    await cluster.createTopic({
      name: model.topic,
      partitions: PARTITIONS,
      replicationFactor: 3,
      config: { 'retention.ms': -1, 'min.insync.replicas': 2, 'message.timestamp.type': 'CreateTime' },
    });
    await topic.#producer.connect();
    await topic.#send(0, topic.#half);
    topic.halfEnds.push(...(await topic.ends()));
    return topic;
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map(({ process }) => process.kill()));
    await this.#producer.close();
    await this.cluster.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get events(): number {
    return this.#events.length;
  }

  ends(): Promise<number[]> {
    return endOffsets(this.cluster.bootstrap, this.model.topic, PARTITIONS);
  }

  /** Produces the second half, once. `onChunk` hears how much of it is sent, 0…1, and what it waits for holds the rest. */
  produceSecondHalf(onChunk?: (share: number) => Promise<void>): Promise<void> {
    this.#secondHalf ??= this.#send(this.#half, this.#events.length, onChunk);
    return this.#secondHalf;
  }

  /** Starts an engine on the topic; its table is `lakeOf(group)`. */
  engine(group: string, options: Partial<EngineOptions> = {}): EngineProcess {
    const name = `${group}-${this.#engines.length}`;
    const process = new EngineProcess({
      brokers: this.cluster.bootstrap,
      topic: this.model.topic,
      model: this.model.name,
      group,
      lake: this.lakeOf(group),
      log: join(this.folder, name),
      ...options,
    });
    this.#engines.push({ name, process });
    return process;
  }

  /** How many engines were started so far: what `tails` counts from. */
  get enginesStarted(): number {
    return this.#engines.length;
  }

  /** The last lines of the engines started since then, for the log of a test that failed. */
  tails(since: number): string {
    const parts = this.#engines.slice(since).map(({ name, process }) => `--- ${name}\n${process.tail()}`);
    return parts.join('\n');
  }

  lakeOf(group: string): string {
    return join(this.folder, `lake-${group}`);
  }

  /** A configuration file with these lines of YAML, as the flag that names it. */
  async configFlags(name: string, yaml: string): Promise<string[]> {
    const folder = join(this.folder, 'config');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${name}.yaml`), yaml);
    return ['--config', join(folder, `${name}.yaml`)];
  }

  /** The sessions of the first half, by the oracle. */
  halfSessions(): Promise<Session[]> {
    this.#halfSessions ??= this.#oracle('half.bin', this.halfEnds);
    return this.#halfSessions;
  }

  /** The sessions of the whole topic, by the oracle. */
  sessions(): Promise<Session[]> {
    this.#sessions ??= this.produceSecondHalf().then(() => this.#oracle('whole.bin'));
    return this.#sessions;
  }

  /** The same, where a run had ended after the first half and emitted what was open. */
  async sessionsAfterHalf(): Promise<Session[]> {
    return this.model.afterHalf(await this.sessions(), await this.halfSessions());
  }

  async #oracle(file: string, before?: number[]): Promise<Session[]> {
    const raw = new RawRecordFile(join(this.folder, file));
    await exportTopic(this.cluster.bootstrap, this.model.topic, PARTITIONS, raw);
    await raw.close();
    return this.model.sessionsBySql(this.folder, file, before);
  }

  async #send(from: number, to: number, onChunk?: (share: number) => Promise<void>): Promise<void> {
    for (let at = from; at < to; at += CHUNK_EVENTS) {
      const chunk = this.#events.slice(at, Math.min(at + CHUNK_EVENTS, to));
      await this.#producer.send(
        this.model.topic,
        chunk.map(({ key, value, arrivalMs }) => ({ key, value, timestampMs: arrivalMs })),
      );
      await onChunk?.((at + chunk.length - from) / (to - from));
    }
    await this.#producer.flush();
  }
}
