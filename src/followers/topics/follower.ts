import type { Clock } from '../../clock.js';
import { crashPoint } from '../../crash-points.js';
import type { HeadraceError } from '../../errors.js';
import { WakeSignal } from '../../kafka/wake-signal.js';
import type { Action } from '../../lake/delta/actions.js';
import type { RecordRequest } from '../../ledger/record-pack.js';
import { unpackRecords } from '../../ledger/record-pack.js';
import type { Random } from '../../random.js';
import type { PlainLog } from '../../telemetry/log.js';
import { refuseAhead } from '../ahead.js';
import { LaneOffsets } from '../lane-offsets.js';
import { FollowerTrouble } from '../trouble.js';
import { withinMs } from '../within-ms.js';
import { Batch, type FollowedLane } from './batch.js';
import { logBehind, logTooShort } from './log-too-short.js';
import type { LanePlaces } from './places.js';
import type { ReadRecords, TopicSink } from './sink.js';
import { type RecordSource, sourcesOf } from './sources.js';

/**
 * Brings the output topic and the dead-letter topic after the ledger: the rows and dead letters of our lanes, in the order
 * of the ledger's versions, in transactions that carry the lanes' positions with them. So what was sent is what the
 * positions say, whoever asks and whenever.
 *
 * - One transaction at a time, by one transactional id. After any outcome that is not known: a new producer with the same id,
 *   which ends the old transaction, and then the positions are read again.
 * - A transaction carries lanes that are ours when it is prepared: all its records are with the brokers, and the group has
 *   not moved on. One that is open then is waited for by the lanes' next owner, who reads the positions up to their end.
 * - A lane that goes has its transaction finished or made void; what is void is never committed.
 * - Whatever happens to the topics, nobody waits for them: the backlog is in the lake.
 */
export interface TopicFollowerOptions {
  sink: TopicSink;
  places: LanePlaces;
  /** A part of a file, read by the worker that keeps the lane. Rejects with HeadraceError LAKE_IO. */
  readRecords(partition: number, request: RecordRequest): Promise<ReadRecords>;
  /** Null: the log does not have it. */
  readVersion(version: number): Promise<readonly Action[] | null>;
  newestVersion(): number;
  appId(partition: number): string;
  clock: Clock;
  random: Random;
  log: PlainLog;
  /** Of one transaction, about. */
  recordsMax?: number;
  /** Everything of the lane up to this version is in the topics, and in it the lane stands at `offset`. */
  onReached?(partition: number, version: number, offset: bigint): void;
}

/** What this engine has sent. */
export interface TopicFigures {
  rows: number;
  letters: number;
}

const IDLE_MS = 1_000;
const PROGRESS_MS = 5_000;
/** Fewer versions behind than these is the way things go. */
const BACKLOG_VERSIONS = 50;
/** What a transaction that was made void may take to end. */
const GIVE_UP_MS = 2_000;

const REGISTER_MS_FIRST = 100;
const REGISTER_MS_MAX = 5_000;

/** A lane of the transaction is not ours any more. */
const VOID = Symbol('void');

export class TopicFollower {
  readonly #options: TopicFollowerOptions;
  readonly #trouble: FollowerTrouble;
  readonly #wake: WakeSignal;
  readonly #offsets = new LaneOffsets();
  readonly #lanes = new Map<number, FollowedLane>();
  readonly #figures: TopicFigures = { rows: 0, letters: 0 };
  #batch: Batch | null = null;
  #isOpen = false;
  /** A version that the log lacked when it was wanted last. */
  #missed: number | null = null;
  #told: { atMs: number; rows: number };
  #closed = false;
  readonly #running: Promise<void>;

  constructor(options: TopicFollowerOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#trouble = new FollowerTrouble({
      clock,
      random,
      log,
      name: 'the output topic',
      behind: 'versions_behind',
    });
    this.#wake = new WakeSignal(clock);
    this.#told = { atMs: clock.monotonicMs(), rows: 0 };
    this.#running = this.#run();
  }

  get figures(): Readonly<TopicFigures> {
    return this.#figures;
  }

  /** Does it wait for something to be mended? */
  get isInTrouble(): boolean {
    return this.#trouble.isOn || this.#trouble.halted !== null;
  }

  /**
   * The versions up to which our lanes are in the topics whole, as far as was known last: while the topics can't be reached that is
   * what they had before. Lanes of which nothing was known yet are left out.
   */
  get positions(): ReadonlyMap<number, number> {
    const known = [...this.#lanes.values()].flatMap(({ partition, position, stored }) => {
      const last = position ?? stored;
      return last === null ? [] : [[partition, last.version] as const];
    });
    return new Map(known);
  }

  /** Versions that the slowest of our lanes is behind. */
  get behind(): number {
    if (this.#lanes.size === 0) return 0;
    const positions = [...this.#lanes.values()].map(({ position }) => position?.version ?? -1);
    return Math.max(0, this.#options.newestVersion() - Math.min(...positions));
  }

  /** The lanes' first commit waits for this: the lake, where that commit goes, has to be there for both. */
  async starting(partitions: readonly number[], version: number): Promise<void> {
    const { places, appId, clock } = this.#options;
    for (const partition of partitions) {
      for (let waitMs = REGISTER_MS_FIRST; !this.#closed; waitMs = Math.min(2 * waitMs, REGISTER_MS_MAX)) {
        try {
          await places.begins(appId(partition), version);
          break;
        } catch (error) {
          this.#trouble.met(error, this.behind);
          await clock.sleep(waitMs);
        }
      }
    }
  }

  /** These lanes are ours, and take part in cuts. */
  acquired(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const appId = this.#options.appId(partition);
      const fresh = { position: null, stored: null, storedMs: 0, positioned: false, leaving: false };
      this.#lanes.set(partition, { partition, appId, ...fresh });
      this.#options.places.starts(partition, appId);
    }
    this.#wake.wake();
  }

  /** The ledger's version brought lanes to these offsets. */
  committed(version: number, lanes: readonly { partition: number; to: bigint }[]): void {
    for (const { partition, to } of lanes) this.#offsets.committed(partition, version, to);
    this.#wake.wake();
  }

  /**
   * These lanes go: the transaction under way is finished within the time or given up. Resolves when nothing of theirs is
   * sent any more. Never rejects.
   */
  async released(partitions: readonly number[], timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    for (const lane of this.#lanesOf(partitions)) lane.leaving = true;
    const batch = this.#batch;
    if (batch?.carries(new Set(partitions))) {
      batch.enough = true;
      await withinMs(clock, timeoutMs, batch.finished);
      batch.isVoid = true;
      await withinMs(clock, GIVE_UP_MS, batch.finished);
    }
    this.#drop(partitions);
  }

  /** These lanes are somebody else's already. */
  lost(partitions: readonly number[]): void {
    if (this.#batch?.carries(new Set(partitions))) this.#batch.isVoid = true;
    this.#drop(partitions);
  }

  /**
   * Resolves when the topics have all that the ledger has of our lanes, as it stands then: true; or when nothing has moved
   * for so long: false.
   */
  async caughtUp(noProgressMs: number, signal?: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    this.#wake.wake();
    let before = '';
    let movedMs = clock.monotonicMs();
    while (!this.#isCaughtUp()) {
      if (signal?.aborted === true || this.#closed || this.#trouble.halted !== null) return false;
      const now = `${this.#figures.rows} ${this.#figures.letters} ${this.behind} ${this.#isOpen}`;
      if (now !== before) movedMs = clock.monotonicMs();
      before = now;
      if (clock.monotonicMs() - movedMs >= noProgressMs) return false;
      await clock.sleep(20, signal);
    }
    return true;
  }

  /** Finishes what can be finished within the time, and ends. Resolves to the versions that are left for the next start. */
  async close(timeoutMs: number): Promise<number> {
    const { clock, sink } = this.#options;
    const tooLate = new AbortController();
    if (!this.#trouble.isOn) await withinMs(clock, timeoutMs, this.caughtUp(timeoutMs, tooLate.signal));
    tooLate.abort();
    const { behind } = this;
    await this.released([...this.#lanes.keys()], 0);
    this.abandon();
    await withinMs(clock, GIVE_UP_MS, this.#running);
    await sink.end();
    return behind;
  }

  /** Ends at once: what is under way is given up. */
  abandon(): void {
    if (this.#batch !== null) this.#batch.isVoid = true;
    this.#closed = true;
    this.#wake.wake();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closed) {
      if (clock.monotonicMs() >= this.#trouble.untilMs) {
        try {
          await this.#turn();
        } catch (error) {
          if (!this.#closed) this.#trouble.met(error, this.behind);
        }
      }
      await this.#wake.sleep(this.#waitMs());
    }
  }

  async #turn(): Promise<void> {
    if (this.#ours().length === 0) return;
    if (!this.#isOpen) {
      for (const lane of this.#lanes.values()) lane.position = null;
      await this.#options.sink.open();
      this.#isOpen = true;
    }
    await this.#place();
    await this.#transaction();
    this.#tell();
    this.#trouble.over(this.behind);
  }

  #waitMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#trouble.untilMs) return Math.min(this.#trouble.untilMs - nowMs, IDLE_MS);
    return this.#ours().length > 0 && !this.#isCaughtUp() ? 0 : IDLE_MS;
  }

  #isCaughtUp(): boolean {
    const placed = [...this.#lanes.values()].every(
      ({ position, positioned }) => position !== null && positioned,
    );
    return placed && this.behind === 0 && this.#batch === null;
  }

  #ours(): FollowedLane[] {
    return [...this.#lanes.values()].filter(({ leaving }) => !leaving);
  }

  /** Where lanes stand that came: read behind the end of whatever was being sent for them. */
  async #place(): Promise<void> {
    const { sink, places, clock } = this.#options;
    const lanes = this.#ours().filter(({ position }) => position === null);
    if (lanes.length === 0) return;
    const remembered = await Promise.all(lanes.map(({ appId }) => places.remembered(appId)));
    const stored = await sink.positions(lanes.map(({ appId }) => appId));
    for (const [index, lane] of lanes.entries()) {
      const found = stored.get(lane.appId) ?? null;
      if (found !== null) await refuseAhead(lane.partition, found.version, this.#options, logBehind);
      const { position, positioned } = await places.of(lane, remembered[index]!, found);
      lane.stored = found;
      lane.storedMs = clock.monotonicMs();
      lane.positioned = positioned;
      lane.position = position;
    }
  }

  /** One transaction, should there be something to send. */
  async #transaction(): Promise<void> {
    const { clock, places, recordsMax } = this.#options;
    const batch = new Batch(clock.monotonicMs(), recordsMax);
    this.#batch = batch;
    try {
      const news = this.#ours().filter((lane) => lane.position !== null && !lane.positioned);
      for (const lane of news) batch.move(lane, lane.position!);
      if (news.length === 0) await this.#fill(batch);
      const due = news.length > 0 || batch.hasOldPositions(clock.monotonicMs());
      if (batch.begun || due) await this.#commit(batch);
      batch.apply(clock.monotonicMs());
      for (const lane of news) {
        await places.positioned(lane.appId, lane.position!);
        lane.positioned = true;
      }
      this.#figures.rows += batch.records - batch.letters;
      this.#figures.letters += batch.letters;
      this.#tellPositions();
    } catch (error) {
      await this.#giveUp(batch, error === VOID);
      if (error !== VOID) throw error;
    } finally {
      this.#batch = null;
      batch.finish();
    }
  }

  /** Version by version, each for the lanes that stand before it. */
  async #fill(batch: Batch): Promise<void> {
    const { clock, newestVersion, readVersion } = this.#options;
    const lanes = this.#ours().filter(({ position }) => position !== null);
    const newest = newestVersion();
    let version = Math.min(...lanes.map((lane) => batch.position(lane).version)) + 1;
    for (; version <= newest && !batch.isFull(clock.monotonicMs()); version++) {
      const members = lanes.filter((lane) => !lane.leaving && batch.position(lane).version === version - 1);
      if (members.length === 0) continue;
      for (const lane of members) batch.move(lane, batch.position(lane));
      const actions = await readVersion(version);
      if (actions === null) throw this.#tooShort(version);
      const partitions = new Set(members.map(({ partition }) => partition));
      await this.#sendVersion(batch, version, members, sourcesOf(version, actions, partitions));
    }
  }

  /** An engine that stood still knows old positions only: they are read once more before the follower halts. */
  #tooShort(version: number): HeadraceError | typeof VOID {
    if (this.#missed === version) return logTooShort(version);
    this.#missed = version;
    for (const lane of this.#lanes.values()) lane.position = null;
    return VOID;
  }

  async #sendVersion(
    batch: Batch,
    version: number,
    members: readonly FollowedLane[],
    sources: readonly RecordSource[],
  ): Promise<void> {
    const sent = new Map(members.map((lane) => [lane.partition, batch.position(lane).records]));
    let skip: ReadonlyMap<number, number> = new Map(sent);
    for (const source of sources) {
      const left = await this.#sendFile(batch, source, skip, sent);
      if (left === null) {
        for (const lane of members)
          batch.move(lane, { version: version - 1, records: sent.get(lane.partition)! });
        return;
      }
      skip = left;
    }
    for (const lane of members) batch.move(lane, { version, records: 0 });
  }

  /**
   * Sends what the file has of the lanes behind the first `skip` records of each, and counts it in `sent`. Returns how many
   * of the records to be passed over lie behind this file, or null: the transaction is full before the file's end.
   */
  async #sendFile(
    batch: Batch,
    { kind, path, sizeBytes, laneRows }: RecordSource,
    skip: ReadonlyMap<number, number>,
    sent: Map<number, number>,
  ): Promise<Map<number, number> | null> {
    const { clock, readRecords } = this.#options;
    const here = new Map([...skip.keys()].map((partition) => [partition, 0]));
    for (;;) {
      if (batch.isFull(clock.monotonicMs())) return null;
      const passed = [...skip].map(([partition, records]) => ({
        partition,
        records: records + here.get(partition)!,
      }));
      const reader = passed[0]!.partition;
      const { bytes, skipped, more } = await readRecords(reader, { path, sizeBytes, laneRows, skip: passed });
      throwIfVoid(batch);
      for (const record of unpackRecords(bytes)) {
        // a row that was erased since keeps its place in the count
        if (kind === 'letters' || record.value !== null) await this.#send(batch, kind, record);
        here.set(record.partition, here.get(record.partition)! + 1);
        sent.set(record.partition, sent.get(record.partition)! + 1);
      }
      if (more) continue;
      const inFile = new Map(skipped);
      return new Map(
        [...skip].map(([partition, records]) => {
          const behind = here.get(partition)! > 0 ? 0 : records - (inFile.get(partition) ?? 0);
          return [partition, behind];
        }),
      );
    }
  }

  async #send(
    batch: Batch,
    kind: RecordSource['kind'],
    record: Parameters<TopicSink['send']>[1],
  ): Promise<void> {
    await this.#begin(batch);
    const room = this.#options.sink.send(kind, record);
    batch.records++;
    if (kind === 'letters') batch.letters++;
    batch.bytes += (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0);
    if (room === null) return;
    await room;
    throwIfVoid(batch);
  }

  async #begin(batch: Batch): Promise<void> {
    if (batch.begun) return;
    throwIfVoid(batch);
    batch.begun = true;
    await this.#options.sink.begin();
    throwIfVoid(batch);
  }

  async #commit(batch: Batch): Promise<void> {
    const { sink } = this.#options;
    await this.#begin(batch);
    if (batch.records > 0) crashPoint('topics.after-records');
    await sink.prepare(batch.lanes.map(({ lane, position }) => ({ ...lane, position })));
    throwIfVoid(batch);
    crashPoint('topics.before-commit');
    await sink.commit();
    crashPoint('topics.after-commit');
  }

  /** What became of it is not known, unless it was given up on purpose and that worked. */
  async #giveUp(batch: Batch, onPurpose: boolean): Promise<void> {
    const { sink } = this.#options;
    if (onPurpose && !batch.begun) return;
    if (onPurpose) {
      try {
        await sink.abort();
        return;
      } catch {
        // a new producer ends it
      }
    }
    this.#isOpen = false;
    await sink.close();
  }

  #lanesOf(partitions: readonly number[]): FollowedLane[] {
    return partitions.flatMap((partition) => this.#lanes.get(partition) ?? []);
  }

  #drop(partitions: readonly number[]): void {
    for (const lane of this.#lanesOf(partitions)) {
      lane.leaving = true;
      this.#lanes.delete(lane.partition);
      this.#offsets.forget(lane.partition);
    }
  }

  #tellPositions(): void {
    for (const { partition, position } of this.#lanes.values()) {
      if (position === null) continue;
      const offset = this.#offsets.reached(partition, position.version);
      if (offset !== null) this.#options.onReached?.(partition, position.version, offset);
    }
  }

  /** A line now and then while there is a backlog. */
  #tell(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const { rows } = this.#figures;
    const { atMs, rows: rowsBefore } = this.#told;
    const { behind } = this;
    if (behind < BACKLOG_VERSIONS) this.#told = { atMs: nowMs, rows };
    else if (nowMs - atMs >= PROGRESS_MS) {
      const perSecond = Math.round(((rows - rowsBefore) * 1_000) / (nowMs - atMs));
      this.#told = { atMs: nowMs, rows };
      const fields = { versions_behind: behind, rows_per_second: perSecond };
      this.#options.log.info(fields, 'the output topic is catching up from the lake');
    }
  }
}

function throwIfVoid({ isVoid }: Batch): void {
  if (isVoid) throw VOID;
}
