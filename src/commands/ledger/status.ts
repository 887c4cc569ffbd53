import { systemClock } from '../../clock.js';
import type { EngineConfig, LakeConfig } from '../../config/types.js';
import { createLog } from '../../telemetry/log.js';
import { askFollowers, registeredPlaces } from './follower-places.js';
import { checkOwner, openTable } from './open-table.js';
import { type LedgerReport, reportOf } from './read-ledger.js';
import { jsonOf, statusText } from './status-text.js';

export interface LedgerStatusOptions {
  /** The table, or what holds it. */
  lake: LakeConfig;
  /** Whose followers are asked; null: nobody is. */
  config: EngineConfig | null;
  json: boolean;
  stdout(text: string): void;
}

/**
 * `headrace ledger status`: what is committed per lane, which snapshots there are, how far the followers are. Exit code 0, also when
 * some of them can't be asked: it says which.
 */
export async function ledgerStatus(options: LedgerStatusOptions): Promise<number> {
  const { lake, config, json, stdout } = options;
  const opened = await openTable(lake);
  const report = await reportOf(opened);
  const registered = await registeredPlaces(opened);
  for (const { topicId, lanes } of report.topics) {
    for (const lane of lanes) lane.followers = registered.get(`${topicId}/${lane.partition}`) ?? [];
  }
  if (config !== null) {
    checkOwner(opened, config.kafka);
    const log = createLog({ level: config.log.level, format: json ? 'json' : config.log.format });
    await ask(report, opened, config, log);
  }
  stdout(`${json ? jsonOf(report) : statusText(report, systemClock.nowMs())}\n`);
  return 0;
}

/** Of a topic that was made again the newest is asked after: an older one has nothing to come. */
async function ask(
  report: LedgerReport,
  opened: Awaited<ReturnType<typeof openTable>>,
  config: EngineConfig,
  log: ReturnType<typeof createLog>,
): Promise<void> {
  const lanes = report.topics.at(-1)?.lanes ?? [];
  if (lanes.length === 0) return;
  const { lanes: places, troubles } = await askFollowers(config, opened, lanes, log);
  report.troubles = troubles;
  for (const lane of lanes) {
    const asked = places.get(lane.appId) ?? [];
    const known = new Set(asked.map(({ follower }) => follower));
    lane.followers = [...asked, ...lane.followers.filter(({ follower }) => !known.has(follower))];
  }
}
