import { HeadraceError, messageOf } from '../errors.js';
import type { FetchEvent } from '../kafka/fetcher.js';
import type { Coordinator } from '../ledger/coordinator.js';
import { isEndedAt, recoveryOf } from '../ledger/history.js';
import { offsetNote } from '../ledger/offset-note.js';
import { type CommitPlan, hasMarks, lanesLost } from '../ledger/protocol.js';
import type { CutCommand, SealedReport } from '../ledger/types.js';
import type { WorkerMessage } from '../pool/messages.js';
import {
  type CutTime,
  differsFromSnapshot,
  IDLE_COMMIT_MS,
  type LaneWishes,
  wantsCut,
  wantsSnapshot,
} from './cut-wishes.js';
import { EarlyMarks } from './early-marks.js';
import { IdleMoves } from './idle-moves.js';
import { assignment, isHeld, type Lane, move, noSnapshot, startingLane } from './lane.js';
import { gapOfReplay, passGap } from './lane-gaps.js';
import { tellRecovered, tellReplay, tellUnusable } from './lane-news.js';
import { LedgerWatch } from './ledger-watch.js';
import type { LaneManagerOptions } from './manager-options.js';
import { RecoveryProgress } from './recovery-progress.js';
import { firstSnapshotMs, nextSnapshotMs } from './snapshot-times.js';
import { WorkerLink } from './worker-link.js';

/**
 * The lives of this engine's lanes: from the group's assignment over recovery and fetching to the hand-over. It owns no
 * I/O of its own; it moves lanes between the fetcher, the workers' rings and the ledger, and is the only one that does.
 */
export class LaneManager {
  readonly #options: LaneManagerOptions;
  readonly #lanes = new Map<number, Lane>();
  readonly #link: WorkerLink;
  readonly #watch: LedgerWatch;
  readonly #idle: IdleMoves;
  readonly #recovery: RecoveryProgress;
  readonly #early: EarlyMarks;
  #incarnations = 0;
  /** The engine stops: lanes that become ready now are not read any more. */
  #draining = false;
  #coordinator: Coordinator | null = null;

  constructor(options: LaneManagerOptions) {
    this.#options = options;
    this.#link = new WorkerLink(options.rings, options.post);
    this.#watch = new LedgerWatch(options);
    this.#idle = new IdleMoves(options);
    this.#recovery = new RecoveryProgress(options);
    this.#early = new EarlyMarks(options);
  }

  /** The coordinator is made with this manager's callbacks, hence after it. */
  attach(coordinator: Coordinator): void {
    this.#coordinator = coordinator;
  }

  get lanes(): ReadonlyMap<number, Lane> {
    return this.#lanes;
  }

  held(): ReadonlyMap<number, Lane> {
    return new Map([...this.#lanes].filter(([, lane]) => isHeld(lane)));
  }

  /** The group gave us these partitions. */
  async assigned(partitions: number[]): Promise<void> {
    const lanes: Lane[] = [];
    for (const partition of partitions) {
      if (this.#lanes.has(partition)) continue;
      const lane = this.#newLane(partition);
      this.#lanes.set(partition, lane);
      lanes.push(lane);
    }
    if (lanes.length === 0) return;
    const fresh = lanes.map((lane) => lane.partition);
    const { ledger, log } = this.#options;
    log.info({ partitions: fresh.length, total: this.#lanes.size }, 'lanes assigned');
    await ledger.refresh();
    const unknown = fresh.filter((partition) => ledger.lane(partition) === undefined);
    if (unknown.length > 0) {
      const starts = await this.#options.startOffsets(unknown);
      await this.#options.follower?.starting?.([...starts.keys()], ledger.version);
      await this.#coordinator!.startLanes([...starts].map(([partition, offset]) => ({ partition, offset })));
    }
    for (const lane of lanes) {
      // it may have been taken away again while we asked
      if (this.#lanes.get(lane.partition) === lane) this.#recover(lane);
    }
  }

  /** The group takes these partitions away; resolves when all that was read of them is committed and let go. */
  async revoked(partitions: number[]): Promise<void> {
    const lanes = this.#lanesOf(partitions);
    if (lanes.length === 0) return;
    this.#options.log.info(
      { partitions: lanes.length },
      'lanes revoked: sealing and committing what was read',
    );
    this.#link.freeze(lanes);
    for (const lane of lanes) {
      this.#stopReading(lane);
      move(lane, 'revoked');
    }
    const leaving = lanes.filter((lane) => lane.state === 'leaving');
    await this.#cutWithSnapshot(leaving);
    await this.#coordinator!.idle();
    // nothing of theirs may still be sent when they are somebody else's (rule 18)
    await this.#options.follower?.released(partitions, FOLLOWER_TIMEOUT_MS);
    await Promise.all(lanes.map((lane) => this.#dismiss(lane)));
    await this.#options.offsets.flush(OFFSETS_TIMEOUT_MS);
    await this.#options.offsets.forget(partitions, OFFSETS_TIMEOUT_MS);
  }

  /** The group has already given these partitions to somebody else: what is not committed is void. */
  lost(partitions: number[]): void {
    this.#options.follower?.lost(partitions);
    for (const lane of this.#lanesOf(partitions)) {
      this.#stopReading(lane);
      void this.#dismiss(lane);
    }
    void this.#options.offsets.forget(partitions, 0);
    if (partitions.length > 0) {
      this.#options.log.warn(
        { partitions: partitions.length },
        'lanes lost: dropped, their new owner replays them',
      );
    }
  }

  /**
   * Orderly stop: what the lanes have taken is sealed and committed, and their open sessions are in snapshots. What still
   * lies in the rings is left to the next start: it may be seconds of work.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    const lanes = [...this.#lanes.values()];
    for (const lane of lanes) this.#stopReading(lane);
    this.#link.freeze(lanes);
    await this.#cutWithSnapshot([...this.held().values()]);
    await this.#coordinator!.idle();
    // they stand where they were frozen, not where they were read to: the group's revoke has nothing to add
    for (const lane of this.held().values()) lane.position = lane.committedTo;
  }

  /** One tick of the cut interval: cuts the lanes that have something to say. */
  cutLive(): Promise<void> | null {
    const time = this.#time();
    const lanes = [...this.#lanes.values()].filter((lane) => lane.state === 'live');
    const recovers = this.#recovers();
    const moves = this.#idle.take(lanes);
    const early = this.#early.take(lanes, (lane) => this.#position(lane));
    if (
      moves.size + early.size === 0 &&
      !lanes.some((lane) => wantsCut(this.#wishes(lane), time, recovers))
    ) {
      // a lane that halted on its way back may be moved by the operator, too
      if (this.#lanes.size > 0) this.#watch.idle();
      return null;
    }
    return this.#coordinator!.cut(
      lanes.map((lane) => {
        const snapshot = wantsSnapshot(this.#wishes(lane), time, recovers);
        if (snapshot) this.#snapshotTaken(lane);
        lane.cutPosition = this.#position(lane);
        const { partition, incarnation } = lane;
        const marks = { ...moves.get(partition), ...early.get(partition) };
        return { partition, incarnation, marks, snapshot };
      }),
    );
  }

  /** Bounded run: lanes that still have input to read or sessions to let out. */
  unfinished(): Lane[] {
    return [...this.#lanes.values()].filter((lane) => !lane.finished);
  }

  /**
   * Bounded run: when every lane stands at its end (or halted), lets out the open sessions and keeps them in a snapshot.
   * True when nothing is left to do.
   */
  async finishBounded(): Promise<boolean> {
    const waiting = this.unfinished();
    if (waiting.some((lane) => lane.halted === null && !this.#atEnd(lane))) return false;
    const held = waiting.filter((lane) => isHeld(lane));
    if (held.length > 0) {
      for (const lane of held) this.#snapshotTaken(lane);
      await this.#coordinator!.cut(
        held.map((lane) => ({
          partition: lane.partition,
          incarnation: lane.incarnation,
          marks: lane.halted === null ? { endOfInput: true } : {},
          ...(lane.endOffset === null ? {} : { endOffset: lane.endOffset }),
          snapshot: true,
        })),
      );
    }
    for (const lane of waiting) {
      // a batch that failed to check out meanwhile, or another's commit, sends the lane back to work
      if (lane.halted !== null || (lane.state === 'live' && this.#endedAt(lane))) lane.finished = true;
    }
    return this.unfinished().length === 0;
  }

  onWorkerMessage(message: WorkerMessage): void {
    if (message.type === 'lane-revoked') {
      this.#link.revoked(message.partition, message.incarnation);
      return;
    }
    if (!('incarnation' in message)) return;
    const lane = this.#lanes.get(message.partition);
    if (lane === undefined || lane.incarnation !== message.incarnation) return;
    switch (message.type) {
      case 'lane-ready':
        this.#ready(lane, message.nextOffset, message.openSessions);
        break;
      case 'lane-live':
        this.#live(lane);
        break;
      case 'lane-corrupt':
        this.#corrupt(lane, message.offset, HeadraceError.fromPlain(message.error));
        break;
      case 'lane-halted':
        this.#halt(lane, HeadraceError.fromPlain(message.error));
        break;
      case 'lane-snapshot-unusable':
        tellUnusable(this.#options.log, lane, message.path, message.error);
        lane.unusable.add(message.path);
        this.#reset([lane.partition]);
        break;
    }
  }

  onFetchEvent(event: FetchEvent): void {
    if (event.type !== 'lane-halted' && event.type !== 'lane-skipped') return;
    const lane = this.#lanes.get(event.partition);
    if (lane?.incarnation !== event.incarnation) return;
    if (event.type === 'lane-halted') this.#halt(lane, gapOfReplay(event.error, lane));
    else passGap(this.#options.log, lane, event, this.#options.clock.monotonicMs());
  }

  /** One line on the lanes that are on their way back, if there are any. */
  tellRecovery(): void {
    this.#recovery.tell((partition) => this.#position(this.#lanes.get(partition)!));
  }

  /** A snapshot of each lane that differs from its last one, at the next cut. */
  snapshotSoon(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const lane of this.#lanes.values()) lane.nextSnapshotMs = nowMs;
  }

  /** Another engine wrote a version with these lanes' transactions. */
  onForeign(version: number, partitions: number[]): void {
    // a lane that is still starting stands on nothing yet: it will be built on what the ledger says then
    const built = [...this.#lanes.values()].filter((lane) => lane.state !== 'starting');
    const lost = lanesLost(version, partitions, built);
    if (lost.length === 0) return;
    this.#options.log.warn(
      { version, partitions: lost.join(',') },
      'another engine committed lanes of ours: what is not committed is dropped, the lanes recover from the ledger',
    );
    this.#reset(lost);
  }

  onResets(partitions: number[]): void {
    this.#reset(partitions);
  }

  onCommitted(version: number, plan: CommitPlan): void {
    const nowMs = this.#options.clock.monotonicMs();
    const { follower } = this.#options;
    const moved = plan.lanes.filter(
      ({ partition, incarnation }) => this.#lanes.get(partition)?.incarnation === incarnation,
    );
    for (const { partition, to } of moved) {
      const lane = this.#lanes.get(partition)!;
      lane.parent = version;
      lane.committedTo = to;
      lane.lastCommitMs = nowMs;
      // the group's offsets are those of the slowest follower (rule 21)
      if (follower === null) this.noteOffset(partition, version, to);
    }
    follower?.committed(version, moved);
    for (const snapshot of plan.snapshots) {
      const lane = this.#lanes.get(snapshot.partition);
      if (lane !== undefined) lane.snapshotOffset = snapshot.offset;
      this.#options.janitor.committed(this.#options.ledger.lane(snapshot.partition)!);
    }
  }

  /** All followers have the lane up to this version, in which it stands at `offset`. */
  noteOffset(partition: number, version: number, offset: bigint): void {
    if (!this.#lanes.has(partition)) return;
    const metadata = offsetNote(this.#options.ledger.tableId, version);
    this.#options.offsets.note({ partition, offset, metadata });
  }

  /** A worker's report of a cut. */
  sealed(report: SealedReport): void {
    this.#idle.sealed(report, this.#lanes);
  }

  /** Sends a cut to the workers of its lanes; returns those workers. */
  sendCut(command: CutCommand): number[] {
    return this.#link.cut(command, this.#lanes, this.#options.eviction);
  }

  #lanesOf(partitions: readonly number[]): Lane[] {
    return partitions.flatMap((partition) => this.#lanes.get(partition) ?? []);
  }

  #newLane(partition: number): Lane {
    const { clock, snapshotIntervalMs, endOffsets, ledger } = this.#options;
    return startingLane({
      partition,
      incarnation: ++this.#incarnations,
      worker: this.#link.leastLoaded(this.#lanes.values()),
      parent: ledger.version,
      // a partition that was added since has nothing that belongs to a bounded run
      endOffset: endOffsets === null ? null : (endOffsets.get(partition) ?? 0n),
      nowMs: clock.monotonicMs(),
      snapshotInMs: firstSnapshotMs(partition, snapshotIntervalMs),
    });
  }

  #recover(lane: Lane): void {
    const { ledger, log, clock } = this.#options;
    const history = ledger.lane(lane.partition)!;
    const recovery = recoveryOf(history, lane.unusable);
    if (!move(lane, 'built')) return;
    // moved back by the operator: what Kafka was told last is not the newest any more
    if (history.committedTo < lane.committedTo) void this.#options.offsets.forget([lane.partition], 0);
    lane.gaps = [];
    lane.parent = history.version;
    lane.committedTo = history.committedTo;
    lane.snapshotOffset = recovery?.snapshot?.offset ?? null;
    lane.marked = recovery?.replay.some(({ marks }) => hasMarks(marks)) ?? false;
    if (recovery === null) {
      this.#halt(lane, noSnapshot(lane, history));
      return;
    }
    const fromOffset = recovery.snapshot?.offset ?? history.startOffset;
    lane.position = fromOffset;
    lane.replay = { fromMs: clock.monotonicMs(), fromOffset };
    const common = { appId: ledger.appId(lane.partition), eviction: this.#options.eviction };
    tellReplay(log, lane, fromOffset);
    this.#recovery.begin(lane.partition, fromOffset, lane.committedTo);
    this.#link.assign(lane, assignment(lane, history, recovery, common));
  }

  #ready(lane: Lane, nextOffset: bigint, openSessions: number): void {
    const { partition, incarnation, endOffset } = lane;
    this.#options.log.debug({ partition, offset: nextOffset, open_sessions: openSessions }, 'lane ready');
    lane.position = nextOffset;
    lane.cutPosition = nextOffset;
    this.#idle.ready(lane, this.#options.ledger.lane(partition)!, nextOffset, openSessions);
    if (this.#draining || lane.state === 'gone') return;
    this.#options.fetcher.addLane({
      partition,
      incarnation,
      offset: nextOffset,
      ...(endOffset === null ? {} : { endOffset }),
    });
  }

  #live(lane: Lane): void {
    if (!move(lane, 'met-ledger')) return;
    tellRecovered(this.#options.log, lane, this.#options.clock.monotonicMs());
    lane.replay = null;
    this.#recovery.end(lane.partition, true);
    lane.finished = this.#endedAt(lane);
    this.#options.follower?.acquired([lane.partition]);
    if (!this.#recovers()) this.#options.onRecovered?.();
  }

  /** Are lanes on their way back? */
  #recovers(): boolean {
    return [...this.#lanes.values()].some(({ state, halted }) => state === 'recovering' && halted === null);
  }

  /** Were the sessions let out at the lane's end, now or by an earlier bounded run? */
  #endedAt({ partition, endOffset }: Lane): boolean {
    const history = this.#options.ledger.lane(partition);
    return endOffset !== null && history !== undefined && isEndedAt(history, endOffset);
  }

  #corrupt(lane: Lane, offset: bigint, error: HeadraceError): void {
    if (lane.corruptAt === offset) {
      this.#halt(lane, error);
      return;
    }
    lane.corruptAt = offset;
    const broker = this.#options.leaderOf(lane.partition);
    this.#options.log.warn(
      { partition: lane.partition, offset, broker, reason: messageOf(error) },
      'a record batch does not check out; fetching it once more',
    );
    this.#options.fetcher.seekLane(lane.partition, lane.incarnation, offset);
  }

  #halt(lane: Lane, error: HeadraceError): void {
    const broker = this.#options.leaderOf(lane.partition);
    lane.halted = error;
    this.#stopReading(lane);
    this.#recovery.end(lane.partition, false);
    this.#options.log.error(
      { topic: this.#options.topic, partition: lane.partition, broker, error: error.toString() },
      'lane halted; the others go on',
    );
  }

  /**
   * Starts lanes over from the ledger: a new incarnation, and everything sealed by the old one is void (rule 3). Lanes that
   * start already will be built on what the ledger says then.
   */
  #reset(partitions: readonly number[]): void {
    const lanes = this.#lanesOf(partitions).filter((lane) => move(lane, 'reset'));
    for (const lane of lanes) {
      this.#stopReading(lane);
      void this.#link.revoke(lane);
      lane.incarnation = ++this.#incarnations;
      lane.halted = null;
      lane.finished = false;
      lane.corruptAt = null;
    }
    if (lanes.length === 0) return;
    this.#options.follower?.lost(lanes.map((lane) => lane.partition));
    const incarnations = lanes.map((lane) => lane.incarnation);
    this.#options.ledger
      .refresh()
      .then(() => {
        for (const [i, lane] of lanes.entries()) {
          const current = this.#lanes.get(lane.partition);
          if (current === lane && lane.incarnation === incarnations[i]) this.#recover(lane);
        }
      })
      .catch((error: unknown) => this.#options.onFatal(error));
  }

  async #cutWithSnapshot(lanes: readonly Lane[]): Promise<void> {
    if (lanes.length === 0) return;
    const time = this.#time();
    await this.#coordinator!.cut(
      lanes.map((lane) => ({
        partition: lane.partition,
        incarnation: lane.incarnation,
        marks: {},
        snapshot: differsFromSnapshot(this.#wishes(lane), time),
      })),
    );
  }

  /** Tells the worker to let go of the lane, and forgets it. Resolves when the worker has. */
  #dismiss(lane: Lane): Promise<void> {
    // it may have become ready since it was told to stop
    this.#stopReading(lane);
    this.#recovery.end(lane.partition, false);
    if (this.#lanes.get(lane.partition) === lane) this.#lanes.delete(lane.partition);
    return this.#link.revoke(lane);
  }

  /** The offset behind the last event that was handed to the worker. */
  #position(lane: Lane): bigint {
    return this.#options.fetcher.laneStatus(lane.partition)?.position ?? lane.position;
  }

  #stopReading(lane: Lane): void {
    lane.position = this.#position(lane);
    this.#options.fetcher.removeLane(lane.partition, lane.incarnation);
  }

  #atEnd(lane: Lane): boolean {
    return lane.state === 'live' && lane.endOffset !== null && this.#position(lane) >= lane.endOffset;
  }

  #snapshotTaken(lane: Lane): void {
    lane.marked = false;
    const { clock, snapshotIntervalMs } = this.#options;
    lane.nextSnapshotMs = nextSnapshotMs(lane.nextSnapshotMs, clock.monotonicMs(), snapshotIntervalMs);
  }

  #wishes(lane: Lane): LaneWishes {
    const snapshottedMs = this.#options.ledger.lane(lane.partition)?.snapshottedMs ?? null;
    return { ...lane, position: this.#position(lane), isHalted: lane.halted !== null, snapshottedMs };
  }

  #time(): CutTime {
    const { clock, ledger, snapshotIntervalMs } = this.#options;
    const now = { nowMs: clock.monotonicMs(), wallMs: clock.nowMs() };
    return { ...now, idleCommitMs: IDLE_COMMIT_MS, logKeptMs: ledger.logKeptMs, snapshotIntervalMs };
  }
}

/** The committed offsets are for display: a hand-over waits this long for them. */
const OFFSETS_TIMEOUT_MS = 2_000;

/** What is being sent when a lane goes is waited for so long, then given up: the next owner sends it again. */
const FOLLOWER_TIMEOUT_MS = 5_000;
