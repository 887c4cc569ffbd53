import { JsonRows } from '../../columnar/json-rows.js';
import { HeadraceError } from '../../errors.js';
import type { LedgerFile } from '../../followers/ledger-files.js';
import type { CompiledModel } from '../../model/types.js';
import type { LaneState } from '../../reference/lane-state.js';
import { decodeSnapshot } from '../../reference/snapshot.js';
import { decodeState } from '../../reference/state-codec.js';
import { type Base, basesOf, type LaneCut, type LaneCuts, type LaneCutsOfTable } from './lane-cuts.js';
import { type LaneLogOptions, laneLog } from './lane-log.js';
import type { OpenedTable } from './open-table.js';
import { LaneReplay } from './replay.js';
import { type RowDifference, RowFold } from './row-fold.js';

/** What came of one lane. Offsets are those that were really compared: from a start or a snapshot on, up to a cut. */
export interface LaneVerdict {
  partition: number;
  from: bigint | null;
  to: bigint | null;
  events: number;
  rows: number;
  /** Σ sign of them. */
  sessions: number;
  /** Rows that the table had and that were erased (`headrace forget`). */
  erased: number;
  /** Sessions that differ. */
  differing: number;
  differences: RowDifference[];
  /** Why it could not be compared, or not to its end; null: it was. */
  problem: string | null;
}

export interface VerifyLaneOptions extends LaneLogOptions {
  opened: OpenedTable;
  cuts: LaneCutsOfTable;
  model: CompiledModel;
  appId: string;
  /** Where the log of the partition begins now. */
  logStart: bigint;
  /** Null: as early as can be, as late as can be. */
  from: bigint | null;
  to: bigint | null;
  onProgress(events: number, position: bigint): void;
}

const DIFFERENCES_SHOWN = 10;
/** Behind so many rows that are on one side only, more of them tell nothing. */
const LEFT_MAX = 100_000;

/** Throws HeadraceError for what the brokers or the table's folder do not give. */
export async function verifyLane(options: VerifyLaneOptions, lane: LaneCuts): Promise<LaneVerdict> {
  const { model, config, topic } = options;
  const verdict: LaneVerdict = {
    partition: lane.partition,
    from: null,
    to: null,
    events: 0,
    rows: 0,
    sessions: 0,
    erased: 0,
    differing: 0,
    differences: [],
    problem: null,
  };
  const base = await chooseBase(options, lane);
  if (base === null) {
    const held = `Kafka holds the partition from ${options.logStart} on`;
    verdict.problem = `${held}, and neither the lane's start nor a snapshot lies there`;
    return verdict;
  }
  const cuts = cutsUpTo(lane.cuts.slice(base.firstCut), options.to);
  const until = cuts.length === 0 ? base.offset : BigInt(cuts.at(-1)!.entry.to);
  verdict.from = base.offset;
  verdict.to = until;
  const fold = new RowFold(model);
  const sign = model.columnIndex.sign;
  const done: LaneCut[] = [];
  const replay = new LaneReplay({
    model,
    limits: config.limits,
    topic: topic.name,
    partition: lane.partition,
    from: base.offset,
    state: base.state,
    cuts,
    onRow: (row) => {
      verdict.rows++;
      verdict.sessions += row[sign] as number;
      fold.ofLog(row);
    },
    onCut: (cut, { deadLetters }) => {
      done.push(cut);
      if (deadLetters === cut.entry.deadLetters || verdict.differences.length >= DIFFERENCES_SHOWN) return;
      verdict.differences.push({
        sessionId: `cut ${cut.cutId}, up to offset ${cut.entry.to}`,
        column: 'dead letters',
        table: String(cut.entry.deadLetters),
        log: String(deadLetters),
      });
    },
  });
  const table = new TableRows(options, lane.partition);
  const gaps = cuts.flatMap(({ entry }) => entry.gaps ?? []);
  await table.meet(done, cuts, fold);
  for await (const data of laneLog(options, { partition: lane.partition, from: base.offset, until, gaps })) {
    replay.accept(data);
    verdict.events = replay.events;
    options.onProgress(replay.events, data.until);
    await table.meet(done, cuts, fold);
    if (fold.size > LEFT_MAX) break;
  }
  if (fold.size > LEFT_MAX) verdict.problem = `given up: more than ${LEFT_MAX} rows are on one side only`;
  verdict.problem ??= table.problem;
  verdict.erased = table.erased;
  fold.takeErased(table.erased);
  verdict.differing = fold.sessions;
  const room = DIFFERENCES_SHOWN - verdict.differences.length;
  verdict.differences.push(...fold.differences(room));
  return verdict;
}

/** All cuts of a version come together: its files hold their rows. */
function cutsUpTo(cuts: readonly LaneCut[], to: bigint | null): LaneCut[] {
  const last = to === null ? -1 : cuts.findIndex(({ entry }) => BigInt(entry.to) >= to);
  if (last < 0) return [...cuts];
  return cuts.filter(({ version }) => version <= cuts[last]!.version);
}

/** The newest base at or before `from`, or else the earliest that Kafka still has the events for. Null: none. */
async function chooseBase(
  { from, logStart, opened, model, appId }: VerifyLaneOptions,
  lane: LaneCuts,
): Promise<(Base & { state: LaneState | undefined }) | null> {
  const reachable = basesOf(lane).filter(({ offset }) => offset >= logStart);
  const before = from === null ? [] : reachable.filter(({ offset }) => offset <= from).reverse();
  const ordered = [...before, ...reachable.filter((base) => !before.includes(base))];
  for (const base of ordered) {
    const { snapshot } = base;
    if (snapshot === null) return { ...base, state: undefined };
    const bytes = await opened.store.get(snapshot.path);
    // older ones were cleaned up
    if (bytes === null) continue;
    const { offset, cutId } = snapshot;
    const meta = { modelHash: model.hash, appId, partition: lane.partition, offset, cutId };
    try {
      return { ...base, state: decodeState(model, decodeSnapshot(bytes, meta)) };
    } catch {
      // as a recovery does: the one before
    }
  }
  return null;
}

/** The lane's rows in the table's files. */
class TableRows {
  problem: string | null = null;
  erased = 0;
  readonly #options: VerifyLaneOptions;
  readonly #partition: number;
  #next = 0;

  constructor(options: VerifyLaneOptions, partition: number) {
    this.#options = options;
    this.#partition = partition;
  }

  /** Takes in the files of the versions whose cuts were all met. */
  async meet(met: readonly LaneCut[], cuts: readonly LaneCut[], fold: RowFold): Promise<void> {
    while (this.#next < met.length) {
      const { version } = met[this.#next]!;
      const last = cuts.findLastIndex((cut) => cut.version === version);
      if (met.length <= last) return;
      this.#next = last + 1;
      for (const file of this.#options.cuts.filesOf(version, this.#partition)) await this.#file(file, fold);
    }
  }

  async #file(file: LedgerFile, fold: RowFold): Promise<void> {
    const rewrite = this.#options.opened.history.rewrites.of(file.path);
    const path = rewrite === undefined ? file.path : (rewrite.now?.path ?? null);
    const rows = path === null ? null : await this.#rowsIn(path, file.version);
    if (path !== null && rows === null) return;
    const gone = new Set(rewrite?.gone);
    let row = 0;
    let place = 0;
    for (const { partition, rows: count } of partsOf(file, (rows?.rows ?? 0) + gone.size)) {
      const isOwn = partition === this.#partition;
      for (const end = row + count; row < end; row++) {
        if (gone.has(row)) this.erased += isOwn ? 1 : 0;
        else if (isOwn) fold.ofTable(rows!.texts(place++), file.date);
        else place++;
      }
    }
  }

  async #rowsIn(path: string, version: number): Promise<JsonRows | null> {
    const { opened, model } = this.#options;
    const isMaintained = this.#options.cuts.maintained.has(path);
    if (!opened.delta.activeFiles.has(path) && !isMaintained) {
      this.problem ??= `another writer took ${path} out of the table after version ${version}`;
      return null;
    }
    const bytes = await opened.store.get(path);
    if (bytes === null) {
      this.problem ??= isMaintained
        ? `${path} was rewritten by maintenance and its original vacuumed: compare from a later offset on (--from)`
        : `${path} is not there`;
    }
    return bytes === null ? null : new JsonRows(model, bytes);
  }
}

function partsOf({ laneRows, lanes, path, version }: LedgerFile, rows: number) {
  if (laneRows !== undefined) return laneRows;
  if (lanes.length === 1) return [{ partition: lanes[0]!, rows }];
  throw new HeadraceError(
    'LAKE_LOG_CORRUPT',
    'the ledger does not say which rows of a file are of which lane',
    {
      where: { path, version },
      remedy: 'an early 0.1 wrote it: compare from a later offset on (--from)',
    },
  );
}
