import { systemClock } from '../../clock.js';
import { parseStartPlace, START_PLACE } from '../../config/start-place.js';
import type { EngineConfig, StartPlace } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import { appIdOf } from '../../ledger/history.js';
import { unknownLane } from '../../ledger/reset.js';
import { checkSemantics, semanticsOf } from '../../ledger/semantics.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import { createLog, type Log } from '../../telemetry/log.js';
import { formatWhole } from '../../telemetry/progress.js';
import { connectTopic } from './connect.js';
import { type LaneCuts, LaneCutsOfTable } from './lane-cuts.js';
import { checkOwner, type OpenedTable, openTable } from './open-table.js';
import { jsonOf } from './status-text.js';
import { type LaneVerdict, verifyLane } from './verify-lane.js';
import { verdictText } from './verify-text.js';

export interface LedgerVerifyOptions {
  config: EngineConfig;
  /** Partitions' numbers with commas; undefined: all. */
  partition?: string;
  /** An offset or a time each. */
  from?: string;
  to?: string;
  json: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

const EXIT_DIFFERENT = 1;
const EXIT_NOT_COMPARED = 75;
const PROGRESS_MS = 2_000;

/**
 * `headrace ledger verify`: makes sessions again from Kafka by the plain reference, and holds the table's files against them, lane by
 * lane. Exit code 0: equal; 1: something differs; 75: something could not be compared.
 */
export async function ledgerVerify(options: LedgerVerifyOptions): Promise<number> {
  const { config, json, stdout } = options;
  const log = createLog({ level: 'warn', format: json ? 'json' : config.log.format });
  const [from, to] = [placeOf('--from', options.from), placeOf('--to', options.to)];
  const model = loadModel(config.model);
  const cuts = new LaneCutsOfTable();
  const opened = await openTable(config.lake, {
    keepFiles: true,
    onVersion: (version, history) => cuts.take(version, history),
  });
  checkOwner(opened, config.kafka);
  await checkSemantics(opened.store, opened.history.lastSemantics, semanticsOf(model, config));
  const { cluster, topic } = await connectTopic(config, log);
  try {
    const lanes = lanesOf(opened, cuts, topic, options.partition);
    const verdicts = await verifyLanes(options, {
      opened,
      cuts,
      model,
      cluster,
      topic,
      log,
      lanes,
      from,
      to,
    });
    const report = { table: opened.table, version: opened.delta.version, topic: topic.name, lanes: verdicts };
    stdout(`${json ? jsonOf(report) : verdictText(report)}\n`);
    if (verdicts.some(({ differences }) => differences.length > 0)) return EXIT_DIFFERENT;
    return verdicts.some(({ problem }) => problem !== null) ? EXIT_NOT_COMPARED : 0;
  } finally {
    await cluster.close();
  }
}

type Place = StartPlace | bigint | null;

function placeOf(flag: string, text: string | undefined): Place {
  if (text === undefined) return null;
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  const place = parseStartPlace(text);
  if (place !== null) return place;
  throw new HeadraceError('USAGE', `${flag} must be an offset, ${START_PLACE}, not ${text}`);
}

function lanesOf(
  { history }: OpenedTable,
  cuts: LaneCutsOfTable,
  { topicId }: Topic,
  named: string | undefined,
): LaneCuts[] {
  const known = history.lanes(topicId).map(({ partition }) => partition);
  const wanted = named === undefined || named === 'all' ? known : named.split(',').map(Number);
  return wanted.map((partition) => {
    const lane = cuts.lane(topicId, partition);
    if (lane === undefined) throw unknownLane(partition);
    return lane;
  });
}

async function verifyLanes(
  { config, json, stderr }: LedgerVerifyOptions,
  facts: {
    opened: OpenedTable;
    cuts: LaneCutsOfTable;
    model: CompiledModel;
    cluster: Cluster;
    topic: Topic;
    log: Log;
    lanes: readonly LaneCuts[];
    from: Place;
    to: Place;
  },
): Promise<LaneVerdict[]> {
  const { opened, cluster, topic, lanes } = facts;
  const partitions = lanes.map(({ partition }) => partition);
  const at = async (place: Place) =>
    place === null || typeof place === 'bigint'
      ? new Map(partitions.map((partition) => [partition, place]))
      : await cluster.listOffsets(topic, partitions, place, config.kafka.isolation);
  const [starts, froms, tos] = [await at('earliest'), await at(facts.from), await at(facts.to)];
  const verdicts: LaneVerdict[] = [];
  let toldMs = systemClock.monotonicMs();
  for (const [index, lane] of lanes.entries()) {
    const { partition } = lane;
    verdicts.push(
      await verifyLane(
        {
          ...facts,
          config,
          appId: appIdOf(opened.owner, topic.topicId, partition),
          logStart: starts.get(partition)!,
          from: froms.get(partition)!,
          to: tos.get(partition)!,
          onProgress: (events, position) => {
            if (json || systemClock.monotonicMs() - toldMs < PROGRESS_MS) return;
            toldMs = systemClock.monotonicMs();
            stderr(
              `partition ${partition} (${index + 1} of ${lanes.length}): ${formatWhole(events)} events, up to offset ${formatWhole(position)}\n`,
            );
          },
        },
        lane,
      ),
    );
  }
  return verdicts;
}
