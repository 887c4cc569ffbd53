import type { EngineConfig } from '../../config/types.js';
import type { GuardPlace } from '../../lake/maintenance/follower-guard.js';
import { appIdOf } from '../../ledger/history.js';
import type { Log } from '../../telemetry/log.js';
import { askFollowers, registeredPlaces } from './follower-places.js';
import type { OpenedTable } from './open-table.js';

/**
 * How far each follower is with each lane, for whoever deletes files (rule 14). `silent`: followers that could not be asked, or that the
 * configuration does not name: they hold every file.
 */
export async function placesOfFollowers({
  config,
  opened,
  log,
}: {
  config: EngineConfig;
  opened: Pick<OpenedTable, 'delta' | 'history' | 'store'> & {
    owner: Pick<OpenedTable['owner'], 'group' | 'topic'>;
  };
  log: Log;
}): Promise<{ places: GuardPlace[]; silent: string[] }> {
  const { history, owner, delta } = opened;
  const lanes = history.topicIds().flatMap((topicId) =>
    history.lanes(topicId).map(({ partition, version }) => ({
      partition,
      appId: appIdOf(owner, topicId, partition),
      version,
    })),
  );
  if (lanes.length === 0) return { places: [], silent: [] };
  const { lanes: found, troubles } = await askFollowers(config, opened, lanes, log);
  const places = lanes.flatMap(({ partition, appId, version: newest }) =>
    (found.get(appId) ?? [])
      .filter(({ kind }) => kind !== 'group')
      .map(({ follower, version }) => {
        const has = version ?? -1;
        // a lane that stands still has no newer version to be passed
        return { follower, partition, version: has >= newest ? Math.max(has, delta.version) : has };
      }),
  );
  // the group's offsets are for display: no file waits for them
  const followers = troubles.filter((trouble) => !trouble.startsWith(`group ${config.kafka.group}:`));
  return { places, silent: [...followers, ...(await unnamed(config, opened))] };
}

/** Topics' followers are registered in the table; one whose positions nobody can look up holds the files. */
async function unnamed(config: EngineConfig, opened: Pick<OpenedTable, 'store'>): Promise<string[]> {
  const registered = [...(await registeredPlaces(opened)).values()].flat();
  const names = new Set(registered.map(({ follower }) => follower));
  names.delete(config.output?.positions ?? '');
  return [...names].map(
    (name) =>
      `topics with positions in ${name} are registered and not in this configuration: name them under output, or take _headrace/followers/${name} away when they are no more`,
  );
}
