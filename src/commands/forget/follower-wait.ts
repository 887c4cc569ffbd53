import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import type { FileNeed } from '../../lake/maintenance/file-needs.js';
import {
  type Behind,
  behindText,
  type GuardPlace,
  whoIsBehind,
} from '../../lake/maintenance/follower-guard.js';
import { appIdOf } from '../../ledger/history.js';
import type { Log } from '../../telemetry/log.js';
import { askFollowers, registeredPlaces } from '../ledger/follower-places.js';
import type { OpenedTable } from '../ledger/open-table.js';
import type { Progress } from './progress.js';

const ASK_MS = 1_000;

/** What the followers are asked about. */
export type FollowedTable = Pick<OpenedTable, 'store' | 'delta' | 'history'> & {
  owner: Pick<OpenedTable['owner'], 'group' | 'topic'>;
};

export interface Followers {
  places: GuardPlace[];
  behind: Behind[];
  /** Followers that could not be asked, or that the configuration does not name: they hold every file. */
  silent: string[];
}

/** Asks until all followers have passed the files' versions, or the time is over. */
export async function waitForFollowers(
  facts: { config: EngineConfig; opened: OpenedTable; log: Log; progress: Progress },
  files: readonly FileNeed[],
  timeoutMs: number,
): Promise<Followers> {
  // nobody can come for nothing
  if (files.every(({ version }) => version === null)) return { places: [], behind: [], silent: [] };
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const { places, silent } = await askPlaces(facts);
    const behind = whoIsBehind(files, places);
    const isOver = systemClock.monotonicMs() - startedMs >= timeoutMs;
    if (behind.length + silent.length === 0 || isOver) return { places, behind, silent };
    facts.progress.tell(() => `waiting for followers: ${behindText(behind) || silent.join('; ')}`);
    await systemClock.sleep(ASK_MS);
  }
}

/** How far each follower is with each lane of the topic that was read last. */
export async function askPlaces({
  config,
  opened,
  log,
}: {
  config: EngineConfig;
  opened: FollowedTable;
  log: Log;
}): Promise<Pick<Followers, 'places' | 'silent'>> {
  const topicId = opened.history.topicIds().at(-1);
  if (topicId === undefined) return { places: [], silent: [] };
  const lanes = opened.history.lanes(topicId).map(({ partition }) => ({
    partition,
    appId: appIdOf(opened.owner, topicId, partition),
  }));
  const { lanes: found, troubles } = await askFollowers(config, opened, lanes, log);
  const places = lanes.flatMap(({ partition, appId }) =>
    (found.get(appId) ?? [])
      .filter(({ kind }) => kind !== 'group')
      .map(({ follower, version }) => ({ follower, partition, version: version ?? -1 })),
  );
  // the group's offsets are for display: no file waits for them
  const followers = troubles.filter((trouble) => !trouble.startsWith(`group ${config.kafka.group}:`));
  return { places, silent: [...followers, ...(await unnamed(config, opened))] };
}

/** Topics' followers are registered in the table; one whose positions nobody can look up holds the files. */
async function unnamed(config: EngineConfig, opened: FollowedTable): Promise<string[]> {
  const registered = [...(await registeredPlaces(opened)).values()].flat();
  const names = new Set(registered.map(({ follower }) => follower));
  names.delete(config.output?.positions ?? '');
  return [...names].map(
    (name) =>
      `topics with positions in ${name} are registered and not in this configuration: name them under output, or take _headrace/followers/${name} away when they are no more`,
  );
}
