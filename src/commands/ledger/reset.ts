import { systemClock } from '../../clock.js';
import { parseStartPlace, START_PLACE } from '../../config/start-place.js';
import type { EngineConfig, StartPlace } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import type { VersionActions } from '../../lake/delta/actions.js';
import { newCutId } from '../../ledger/cut-id.js';
import { factsOf, Ledger } from '../../ledger/ledger.js';
import { type LaneReset, resetDraft, unknownLane } from '../../ledger/reset.js';
import { systemRandom } from '../../random.js';
import { createLog, type Log } from '../../telemetry/log.js';
import { packageVersion } from '../../version.js';
import { connectTopic } from './connect.js';
import { checkOwner, type OpenedTable, openTable } from './open-table.js';
import { type LanePlan, planText, resetJson } from './reset-text.js';

export interface LedgerResetOptions {
  config: EngineConfig;
  /** A partition's number, or `all`. */
  partition: string;
  /** earliest, latest, a time, or an offset. */
  to: string;
  /** Do it; else it is only shown. */
  yes: boolean;
  json: boolean;
  stdout(text: string): void;
}

/** Rows of each lane's cuts, in the order of the versions. */
type RowsOfCuts = Map<number, { to: number; rows: number }[]>;

/**
 * `headrace ledger reset`: moves lanes. Says what it would do, and does it with --yes: one version of the table, by which engines
 * that run start the lanes over. Exit code 0; throws HeadraceError for what `main` reports.
 */
export async function ledgerReset(options: LedgerResetOptions): Promise<number> {
  const { config, yes, json, stdout } = options;
  const log = createLog({ level: config.log.level, format: json ? 'json' : config.log.format });
  const target = targetOf(options);
  const versions: VersionActions[] = [];
  const opened = await openTable(config.lake, { onVersion: (version) => versions.push(version) });
  checkOwner(opened, config.kafka);
  const { cluster, topic } = await connectTopic(config, log);
  try {
    const partitions = partitionsOf(opened, topic, options.partition);
    const plans = await planOf({ opened, cluster, topic, config, target, partitions, versions });
    const version = yes ? await commit(opened, topic, plans, log) : null;
    const report = { table: opened.table, topic: topic.name, lanes: plans, version };
    stdout(`${json ? resetJson(report) : planText(report)}\n`);
    return 0;
  } finally {
    await cluster.close();
  }
}

function targetOf({ to, partition }: LedgerResetOptions): StartPlace | bigint {
  if (/^\d{1,18}$/.test(to)) {
    if (partition !== 'all') return BigInt(to);
    throw new HeadraceError('USAGE', `${to} is an offset of one partition, not of all`, {
      remedy: 'name it with --partition N, or give a time, earliest or latest',
    });
  }
  const place = parseStartPlace(to);
  if (place !== null) return place;
  throw new HeadraceError('USAGE', `--to must be an offset, ${START_PLACE}, not ${to}`);
}

function partitionsOf({ history }: OpenedTable, { topicId }: Topic, partition: string): number[] {
  const known = history.lanes(topicId).map((lane) => lane.partition);
  if (known.length === 0) {
    throw new HeadraceError('USAGE', 'the ledger knows no partition of this topic', {
      where: { topicId, known: history.topicIds().join(',') },
      remedy: 'no engine has started it yet (kafka.start says where), or it was deleted and made again',
    });
  }
  if (partition === 'all') return known;
  if (!/^\d{1,9}$/.test(partition)) {
    throw new HeadraceError('USAGE', `--partition must be a number or all, not ${partition}`);
  }
  if (!known.includes(Number(partition))) throw unknownLane(Number(partition));
  return [Number(partition)];
}

async function planOf(facts: {
  opened: OpenedTable;
  cluster: Cluster;
  topic: Topic;
  config: EngineConfig;
  target: StartPlace | bigint;
  partitions: number[];
  versions: readonly VersionActions[];
}): Promise<LanePlan[]> {
  const { opened, cluster, topic, config, target, partitions, versions } = facts;
  const offsetsAt = (place: StartPlace) =>
    cluster.listOffsets(topic, partitions, place, config.kafka.isolation);
  const [starts, ends] = [await offsetsAt('earliest'), await offsetsAt('latest')];
  const targets = typeof target === 'bigint' ? null : await offsetsAt(target);
  const rows = rowsOfCuts(versions, opened, topic.topicId);
  return partitions.map((partition) => {
    const [start, end] = [starts.get(partition)!, ends.get(partition)!];
    const to = targets?.get(partition) ?? (target as bigint);
    if (to < start || to > end) throw outOfRange(partition, to, start, end);
    const { committedTo, resetIn } = opened.history.lane(topic.topicId, partition)!;
    const written = (rows.get(partition) ?? []).filter((cut) => cut.to > to);
    return {
      partition,
      from: committedTo,
      to,
      end,
      resetIn,
      rowsBehind: written.reduce((sum, cut) => sum + cut.rows, 0),
    };
  });
}

function outOfRange(partition: number, to: bigint, start: bigint, end: bigint): HeadraceError {
  return new HeadraceError('USAGE', `the partition's log goes from ${start} to ${end}: ${to} is not in it`, {
    where: { partition },
    remedy: 'earliest and latest are its ends',
  });
}

/** What each lane's cuts have let out since it started (over). */
function rowsOfCuts(
  versions: readonly VersionActions[],
  { history }: OpenedTable,
  topicId: string,
): RowsOfCuts {
  const lanes: RowsOfCuts = new Map();
  for (const version of versions) {
    const facts = factsOf(version);
    const written = new Set(history.partitionsOf(facts, topicId));
    for (const { partition, to, rows, reset } of facts.entry?.cuts.flatMap((cut) => cut.lanes) ?? []) {
      if (!written.has(partition)) continue;
      const cuts = reset === true ? [] : (lanes.get(partition) ?? []);
      if (rows > 0) cuts.push({ to, rows });
      lanes.set(partition, cuts);
    }
  }
  return lanes;
}

/** Returns the version that moved the lanes. */
async function commit(
  { delta, history, owner }: OpenedTable,
  { topicId }: Topic,
  resets: readonly LaneReset[],
  log: Log,
): Promise<number> {
  const ledger = new Ledger(delta, history, {
    log,
    clock: systemClock,
    random: systemRandom,
    engineId: `operator-${systemRandom.id63().toString(36)}`,
    ...owner,
    topicId,
    semantics: history.lastSemantics ?? '',
    version: packageVersion(),
    onForeign: () => {},
  });
  const cut = { id: newCutId(systemClock, systemRandom).toString(), createdAtMs: systemClock.nowMs() };
  const moved = resets.map(({ partition, to }) => ({ partition, to }));
  const committed = await ledger.commit(() => resetDraft((partition) => ledger.lane(partition), moved, cut));
  return committed!.version;
}
