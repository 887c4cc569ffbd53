import { HeadraceError } from '../errors.js';
import { decodeHistory, encodeHistory } from './history-note.js';
import { hasMarks } from './protocol.js';
import { Rewrites } from './rewrites.js';
import type { CutEntry, CutLaneEntry, LaneGap, LedgerEntry, RecordedCut, SnapshotRef } from './types.js';

/**
 * What the Delta log says of each lane, folded from its versions in order: how far it is committed, which snapshots are
 * usable, and the cuts after them, which a recovery meets again. Pure: versions in, lanes out.
 *
 * The cuts kept reach back to the second newest snapshot (rule 13): what lies before is never replayed again.
 */

/** `headrace/<group>/<topic>/<topic id>/<partition>`: a recreated topic is another lane (rule 5). */
export function appIdOf(source: LaneSource, topicId: string, partition: number): string {
  return `${prefixOf(source)}${topicId}/${partition}`;
}

/** Whose lanes: a table belongs to one group and topic. */
export interface LaneSource {
  group: string;
  topic: string;
}

function prefixOf({ group, topic }: LaneSource): string {
  return `headrace/${group}/${topic}/`;
}

export interface LaneHistory {
  partition: number;
  /** Where the lane started (T0), or was started over, or where what is still in the log begins. */
  startOffset: bigint;
  /** The version that started it over, or null: none did. */
  resetIn: number | null;
  /** The log was cleaned up: the lane's way from its start on is not known, it comes back from a snapshot only. */
  truncated?: true;
  /** The ledger's offset: everything below it is in the table. */
  committedTo: bigint;
  /** Version of the lane's last commit. */
  version: number;
  watermarkMs: number | null;
  /** Offset at which a bounded run last let the open sessions out, or null. */
  endedAt: bigint | null;
  /** When the newest snapshot was taken, or the lane started: wall clock, ms; null: not known. */
  snapshottedMs: number | null;
  /** Oldest first; only those whose cut the ledger has for this lane (rule 11). */
  snapshots: (SnapshotRef & { version: number })[];
  /** In order of version. */
  cuts: (RecordedCut & { version: number })[];
  /** What the lane passed over since it started, because the log lacked it and the operator accepted that. */
  gaps: LaneGap[];
}

/** The parts of a version that the history reads. */
export interface VersionFacts {
  version: number;
  entry: LedgerEntry | null;
  txns: readonly { appId: string; version: bigint }[];
}

/** What the ledger begins with when its log does not reach back to version 0. */
export interface HistoryStart {
  /** The checkpoint's. */
  version: number;
  txns: VersionFacts['txns'];
  /** What was sealed with it (history-note.ts); null: nothing. */
  note?: unknown;
  /** Versions up to it that are still there, in order; asked for when the note is of no use. */
  readKept(): Promise<readonly VersionFacts[]>;
}

export class LedgerHistory {
  readonly #prefix: string;
  /** By topic id and partition. */
  readonly #lanes = new Map<string, Map<number, LaneHistory>>();
  #rewrites = new Rewrites();
  #lastSemantics: string | null = null;
  /** The versions that come now are those that a clean-up left: lanes began before them. */
  #beginning = false;

  constructor(source: LaneSource) {
    this.#prefix = prefixOf(source);
  }

  /** The semantics hash of the newest version of ours, or null. */
  get lastSemantics(): string | null {
    return this.#lastSemantics;
  }

  lane(topicId: string, partition: number): LaneHistory | undefined {
    return this.#lanes.get(topicId)?.get(partition);
  }

  /** All lanes of a topic, by partition. */
  lanes(topicId: string): LaneHistory[] {
    return [...(this.#lanes.get(topicId)?.values() ?? [])].sort((a, b) => a.partition - b.partition);
  }

  /** Ids of the topics that lanes were read from; one that was deleted and made again has another. */
  topicIds(): string[] {
    return [...this.#lanes.keys()];
  }

  /** What erasures made of files. */
  get rewrites(): Rewrites {
    return this.#rewrites;
  }

  /** Partitions of the topic whose `txn` the version carries, be it ours or another's. */
  partitionsOf(facts: VersionFacts, topicId: string): number[] {
    return [...(this.#written(facts).get(topicId)?.keys() ?? [])];
  }

  /**
   * Begins with a checkpoint (rule 14): how far each lane is, from its transaction, and its way there from the note that was sealed
   * with the checkpoint, or else from the versions that were kept. What does not join with the checkpoint is of no use.
   */
  async begin({ version, txns, note = null, readKept }: HistoryStart): Promise<void> {
    const states = new Map(this.#written({ version, entry: null, txns }));
    this.#lanes.clear();
    this.#rewrites = new Rewrites();
    this.#lastSemantics = null;
    if (this.#recall(note, states)) return;
    const kept = await readKept();
    this.#beginning = true;
    try {
      for (const facts of kept) this.apply(facts);
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error;
      this.#lanes.clear();
    } finally {
      this.#beginning = false;
    }
    for (const [topicId, written] of states) {
      const lanes = this.#lanes.get(topicId) ?? new Map<number, LaneHistory>();
      this.#lanes.set(topicId, lanes);
      for (const [partition, committedTo] of written) {
        const lane = lanes.get(partition);
        if (lane?.committedTo !== committedTo)
          lanes.set(partition, unknownWay(partition, committedTo, version));
      }
    }
  }

  /** For the seal of a checkpoint of the version that was taken in last. */
  note(): object {
    const lanes = [...this.#lanes].flatMap(([topicId, own]) =>
      [...own.values()].map((lane) => ({ topicId, ...lane })),
    );
    return encodeHistory({ semantics: this.#lastSemantics, lanes, rewrites: this.#rewrites.all() });
  }

  /** Only what says of every lane that it is where its transaction says. */
  #recall(note: unknown, states: ReadonlyMap<string, ReadonlyMap<number, bigint>>): boolean {
    const found = decodeHistory(note);
    if (found === null) return false;
    const lanes = [...states].reduce((sum, [, written]) => sum + written.size, 0);
    const joins = found.lanes.every(
      ({ topicId, partition, committedTo }) => states.get(topicId)?.get(partition) === committedTo,
    );
    if (!joins || found.lanes.length !== lanes) return false;
    for (const { topicId, ...lane } of found.lanes) {
      const own = this.#lanes.get(topicId) ?? new Map<number, LaneHistory>();
      this.#lanes.set(topicId, own.set(lane.partition, lane));
    }
    this.#lastSemantics = found.semantics;
    this.#rewrites = Rewrites.from(found.rewrites);
    return true;
  }

  /** Takes a version in, the next one. Throws HeadraceError LAKE_LOG_CORRUPT when it does not fit what was before. */
  apply(facts: VersionFacts): void {
    if (facts.entry?.erasure !== undefined) this.#rewrites.take(facts.entry.erasure);
    const topics = this.#written(facts);
    if (topics.size === 0) return;
    if (facts.entry === null) {
      throw new HeadraceError('LAKE_LOG_CORRUPT', "a version carries a lane's txn but none of our cuts", {
        where: { version: facts.version },
        remedy: 'another program wrote our transaction ids; restore the table to the version before',
      });
    }
    this.#lastSemantics = facts.entry.semantics;
    for (const [topicId, written] of topics) this.#applyTopic(facts.version, facts.entry, topicId, written);
  }

  #applyTopic(
    version: number,
    entry: LedgerEntry,
    topicId: string,
    written: ReadonlyMap<number, bigint>,
  ): void {
    const lanes = this.#lanes.get(topicId) ?? new Map<number, LaneHistory>();
    this.#lanes.set(topicId, lanes);
    for (const cut of entry.cuts) {
      for (const lane of cut.lanes) {
        if (written.has(lane.partition)) this.#applyLane(lanes, version, cut, lane);
      }
    }
    for (const [partition, to] of written) {
      const lane = lanes.get(partition);
      if (lane?.committedTo === to && lane.version === version) continue;
      throw new HeadraceError('LAKE_LOG_CORRUPT', "a lane's txn and its cuts differ", {
        where: { version, partition, txn: to, cuts: lane?.committedTo },
      });
    }
  }

  /** By topic id: the offsets that the version's transactions give to partitions. */
  #written(facts: VersionFacts): Map<string, Map<number, bigint>> {
    const topics = new Map<string, Map<number, bigint>>();
    for (const { appId, version } of facts.txns) {
      if (!appId.startsWith(this.#prefix)) continue;
      const [topicId, partition] = appId.slice(this.#prefix.length).split('/');
      if (topicId === undefined || partition === undefined) continue;
      const written = topics.get(topicId) ?? new Map<number, bigint>();
      topics.set(topicId, written.set(Number(partition), version));
    }
    return topics;
  }

  #applyLane(lanes: Map<number, LaneHistory>, version: number, cut: CutEntry, entry: CutLaneEntry): void {
    const { id: cutId, createdAtMs } = cut;
    let lane = lanes.get(entry.partition);
    if (lane === undefined) {
      lane = {
        partition: entry.partition,
        startOffset: BigInt(entry.from),
        resetIn: null,
        committedTo: BigInt(entry.from),
        version,
        watermarkMs: null,
        endedAt: null,
        snapshottedMs: entry.start === true ? createdAtMs : null,
        snapshots: [],
        cuts: [],
        gaps: [],
        ...(this.#beginning && entry.start !== true ? { truncated: true as const } : {}),
      };
      lanes.set(entry.partition, lane);
    }
    const forward = entry.to >= entry.from || entry.reset === true;
    if (BigInt(entry.from) !== lane.committedTo || !forward) {
      throw new HeadraceError('LAKE_LOG_CORRUPT', "a lane's cuts do not join", {
        where: { version, partition: entry.partition, from: entry.from, committed: lane.committedTo },
      });
    }
    const to = BigInt(entry.to);
    lane.committedTo = to;
    lane.version = version;
    if (entry.reset === true) {
      startOver(lane, createdAtMs);
      return;
    }
    lane.gaps.push(...(entry.gaps ?? []));
    lane.watermarkMs = entry.watermarkMs ?? lane.watermarkMs;
    if (entry.marks.endOfInput === true) lane.endedAt = to;
    if (entry.start === true) return;
    lane.cuts.push({
      cutId,
      to,
      marks: entry.marks,
      rows: entry.rows,
      deadLetters: entry.deadLetters,
      crc: entry.crc,
      version,
    });
    if (entry.snapshot !== undefined) {
      lane.snapshottedMs = createdAtMs;
      lane.snapshots.push({ ...entry.snapshot, offset: to, cutId, version });
      if (lane.snapshots.length > 2) lane.snapshots = lane.snapshots.slice(-2);
      if (lane.snapshots.length === 2) this.#forgetBefore(lane, lane.snapshots[0]!.cutId);
    }
  }

  /** Drops the cuts up to and including the one whose state a kept snapshot holds. */
  #forgetBefore(lane: LaneHistory, cutId: string): void {
    const at = lane.cuts.findLastIndex((cut) => cut.cutId === cutId);
    if (at >= 0) lane.cuts = lane.cuts.slice(at + 1);
  }
}

/** Nothing of what the lane knew counts any more: no session, no snapshot, no mark. */
function startOver(lane: LaneHistory, atMs: number): void {
  lane.startOffset = lane.committedTo;
  lane.resetIn = lane.version;
  delete lane.truncated;
  lane.snapshottedMs = atMs;
  lane.watermarkMs = null;
  lane.endedAt = null;
  lane.snapshots = [];
  lane.cuts = [];
  lane.gaps = [];
}

/**
 * How to bring a lane back: the newest snapshot that is not in `unusable`, and the cuts after it.
 * `null`: no snapshot is left that the cuts in memory reach back to, and the start of the lane was forgotten.
 */
export function recoveryOf(
  lane: LaneHistory,
  unusable: ReadonlySet<string>,
): { snapshot: SnapshotRef | null; replay: RecordedCut[] } | null {
  const snapshot = lane.snapshots.filter((candidate) => !unusable.has(candidate.path)).at(-1);
  if (snapshot !== undefined) {
    const at = lane.cuts.findLastIndex((cut) => cut.cutId === snapshot.cutId);
    return { snapshot, replay: condensed(lane.cuts.slice(at + 1)) };
  }
  if (lane.snapshots.length >= 2 || lane.truncated === true) return null;
  return { snapshot: null, replay: condensed(lane.cuts) };
}

/** Only how far it is. */
function unknownWay(partition: number, committedTo: bigint, version: number): LaneHistory {
  const nothing = { resetIn: null, watermarkMs: null, endedAt: null, snapshottedMs: null };
  const empty = { snapshots: [], cuts: [], gaps: [] };
  return { partition, startOffset: committedTo, committedTo, version, truncated: true, ...nothing, ...empty };
}

/** A replay's cuts travel through a ring: this many at most, beside those with marks. */
const REPLAY_CUTS_MAX = 1_000;

/** Joins neighbours without marks, whose counts and sums simply add up, where there are very many. */
function condensed(cuts: readonly RecordedCut[]): RecordedCut[] {
  const perEntry = Math.ceil(cuts.length / REPLAY_CUTS_MAX);
  const entries: RecordedCut[] = [];
  let joined = 0;
  for (const cut of cuts) {
    const last = entries.at(-1);
    if (last === undefined || joined >= perEntry || hasMarks(last.marks)) {
      entries.push({ ...cut });
      joined = 1;
      continue;
    }
    const { cutId, to, marks } = cut;
    entries[entries.length - 1] = {
      cutId,
      to,
      marks,
      rows: last.rows + cut.rows,
      deadLetters: last.deadLetters + cut.deadLetters,
      crc: (last.crc + cut.crc) % 2 ** 32,
    };
    joined++;
  }
  return entries;
}

/** Were the lane's open sessions let out at this end of the input, or was there never anything in it? */
export function isEndedAt(lane: LaneHistory, endOffset: bigint): boolean {
  if (lane.committedTo < endOffset) return false;
  const untouched = lane.committedTo === lane.startOffset && lane.cuts.length === 0;
  return untouched || lane.endedAt === lane.committedTo;
}
