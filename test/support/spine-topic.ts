import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EngineOptions, EngineProcess } from './engine-process.js';
import { type OracleRow, RawRecordFile } from './oracle.js';
import { makeSpineEvents, type SpineEvent, type SpineProfile } from './spine-events.js';
import { endOffsets, exportTopic, SpineProducer } from './spine-kafka.js';
import type { SpineModel } from './spine-model.js';
import { SpineOutput } from './spine-output.js';
import type { SpinePlace } from './spine-place.js';

/**
 * A topic of awkward events, shared by the scenarios of its model. The first half is there from the start; the second comes
 * when a scenario asks for it, at the pace that scenario wants. Each group has a table and a ClickHouse database of its own.
 */

/** Everything small: rings and fetches that fill up, many cuts and snapshots. */
export const SMALL_SETTINGS = `
cut_interval: 200ms
snapshot_interval: 1s
workers: 2
fetch: { partition_bytes: 128KiB, in_flight_bytes: 4MiB }
limits: { ring_bytes: 1MiB }
`;

export const PARTITIONS = 24;
const CHUNK_EVENTS = 2000;

export class SpineTopic<Session extends OracleRow> {
  readonly #events: SpineEvent[];
  readonly #half: number;
  readonly #producer: SpineProducer;
  readonly #engines: { name: string; process: EngineProcess }[] = [];
  /** Flags by which an engine follows into ClickHouse, by group. */
  readonly #following = new Map<string, string[]>();
  readonly #outputs = new Map<string, SpineOutput>();
  #secondHalf: Promise<void> | null = null;
  #produced = 0;
  #sessions: Promise<Session[]> | null = null;
  #halfSessions: Promise<Session[]> | null = null;
  /** End offsets of the first half, by partition. */
  readonly halfEnds: number[] = [];

  private constructor(
    readonly place: SpinePlace,
    readonly model: SpineModel<Session>,
    profile: SpineProfile,
  ) {
    const { events, half } = makeSpineEvents(profile, model.form);
    this.#events = events;
    this.#half = half;
    this.#producer = new SpineProducer(place.cluster.bootstrap, { 'compression.codec': model.compression });
  }

  /** `groups`: those that scenarios start engines in. `withOutput`: those of them whose rows go to topics too. */
  static async create<Session extends OracleRow>(
    place: SpinePlace,
    model: SpineModel<Session>,
    profile: SpineProfile,
    groups: readonly string[],
    withOutput: readonly string[] = [],
  ): Promise<SpineTopic<Session>> {
    const topic = new SpineTopic(place, model, profile);
    for (const group of groups) {
      topic.#following.set(group, await place.clickhouse.flags(model.name, topic.databaseOf(group)));
    }
    for (const group of withOutput) {
      const output = new SpineOutput(place.cluster, model, group, PARTITIONS);
      await output.create();
      topic.#outputs.set(group, output);
    }
    // old events meet retention, so they are kept for ever
    await place.cluster.createTopic({
      name: model.topic,
      partitions: PARTITIONS,
      config: {
        'retention.ms': -1,
        'min.insync.replicas': Math.min(2, place.cluster.brokers.length),
        'message.timestamp.type': 'CreateTime',
        'compression.type': 'producer',
      },
    });
    await topic.#producer.connect();
    await topic.#send(0, topic.#half);
    topic.halfEnds.push(...(await topic.ends()));
    return topic;
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map(({ process }) => process.kill()));
    await this.#producer.close();
  }

  get events(): number {
    return this.#events.length;
  }

  /** How many of them were handed to the producer so far. */
  get produced(): number {
    return this.#produced;
  }

  ends(): Promise<number[]> {
    return endOffsets(this.place.cluster.bootstrap, this.model.topic, PARTITIONS);
  }

  /** Produces the second half, once. `onChunk` hears how much of it is sent, 0…1, and what it waits for holds the rest. */
  produceSecondHalf(onChunk?: (share: number) => Promise<void>, chunkEvents = CHUNK_EVENTS): Promise<void> {
    this.#secondHalf ??= this.#send(this.#half, this.#events.length, onChunk, chunkEvents);
    return this.#secondHalf;
  }

  /** Starts an engine on the topic; its table is `lakeOf(group)`, its database `databaseOf(group)`. */
  engine(group: string, { flags = [], ...options }: Partial<EngineOptions> = {}): EngineProcess {
    const name = `${this.model.name}-${group}-${this.#engines.length}`;
    const following = this.#following.get(group);
    if (following === undefined) throw new Error(`the group ${group} was not announced`);
    const process = new EngineProcess({
      brokers: this.place.cluster.bootstrap,
      topic: this.model.topic,
      model: this.model.name,
      group,
      lake: this.lakeOf(group),
      log: join(this.folder, name),
      flags: [...following, ...flags],
      ...options,
    });
    this.#engines.push({ name, process });
    return process;
  }

  databaseOf(group: string): string {
    return `${this.model.name}_${group}`;
  }

  /** The topics that follow the group's table, or null: none do. */
  outputOf(group: string): SpineOutput | null {
    return this.#outputs.get(group) ?? null;
  }

  get folder(): string {
    return this.place.folder;
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
    return join(this.folder, `lake-${this.model.name}-${group}`);
  }

  /** A configuration file with these lines of YAML, as the flag that names it. */
  async configFlags(name: string, yaml: string): Promise<string[]> {
    const folder = join(this.folder, 'config');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${name}.yaml`), yaml);
    return ['--config', join(folder, `${name}.yaml`)];
  }

  /**
   * The same, and a model in which no lane falls silent: where a scenario holds events back until something has happened, those
   * that come after a minute would be late.
   */
  async patientFlags(name: string, yaml: string): Promise<string[]> {
    const flags = await this.configFlags(name, yaml);
    const preset = await readFile(
      new URL(`../../config/models/${this.model.name}.yaml`, import.meta.url),
      'utf8',
    );
    const model = join(this.folder, 'config', `${name}-model.yaml`);
    await writeFile(model, preset.replace(/^idle_timeout: 60s$/m, 'idle_timeout: 24h'));
    return [...flags, '--model', model];
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

  async #oracle(name: string, before?: number[]): Promise<Session[]> {
    const file = `${this.model.topic}-${name}`;
    const raw = new RawRecordFile(join(this.folder, file));
    await exportTopic(this.place.cluster.bootstrap, this.model.topic, PARTITIONS, raw);
    await raw.close();
    return this.model.sessionsBySql(this.folder, file, before);
  }

  async #send(
    from: number,
    to: number,
    onChunk?: (share: number) => Promise<void>,
    chunkEvents = CHUNK_EVENTS,
  ): Promise<void> {
    for (let at = from; at < to; at += chunkEvents) {
      const chunk = this.#events.slice(at, Math.min(at + chunkEvents, to));
      await this.#producer.send(
        this.model.topic,
        chunk.map(({ key, value, arrivalMs }) => ({ key, value, timestampMs: arrivalMs })),
      );
      this.#produced += chunk.length;
      await onChunk?.((at + chunk.length - from) / (to - from));
    }
    await this.#producer.flush();
  }
}
