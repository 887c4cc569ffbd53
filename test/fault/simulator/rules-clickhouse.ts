import type { FileInserter, InsertOutcome } from '#src/followers/clickhouse/file-inserter.js';
import type { FileState, FollowerTables } from '#src/followers/clickhouse/tables.js';
import { storedVersions } from '../../support/fake-ledger.js';
import type { Rule } from './rules.js';
import { replaced } from './seam-tools.js';
import type { SimEngine } from './sim-engine.js';
import { truthOf } from './sim-store.js';

/** How files come into ClickHouse. */
export const CLICKHOUSE_RULES: Readonly<Record<string, Rule>> = {
  '19-token': {
    without: 'files go in without a token to know them by',
    seams: ({ clickhouse }) => ({
      inserter: (inserter) => ({
        ...inserter,
        insert: (_, file, signal) => clickhouse.insert(null, [file], signal),
      }),
    }),
  },
  '19-merge': {
    without: 'two small files go in as one insert',
    seams: (engine) => ({ inserter: (inserter) => inPairs(inserter, engine) }),
  },
  '19-window': {
    without: 'a file in doubt is sent again, however many inserts there were since',
    seams: () => ({
      tables: (tables) => ({
        ...tables,
        facts: async (intentAtMs) => ({ ...(await tables.facts(intentAtMs)), insertsSince: 0 }),
      }),
    }),
  },
  '19-restart': {
    without: 'a file in doubt is sent again, though ClickHouse was started anew since',
    seams: () => ({
      tables: (tables) => ({
        ...tables,
        facts: async (intentAtMs) => ({ ...(await tables.facts(intentAtMs)), uptimeSeconds: 1e9 }),
      }),
    }),
  },
  '19-intent': {
    without: 'no intent row is written before the first try',
    seams: () => ({
      tables: (tables) => ({
        ...tables,
        writeStates: async () => {},
        recordDone: async (files, atMs) => {
          await tables.writeStates('done', files, atMs);
          return new Set(files.map(({ path }) => path));
        },
      }),
    }),
  },
  '19-restore': {
    without: 'nobody looks whether ClickHouse was set back',
    seams: () => ({ tables: neverSetBack }),
  },
  '19-others': {
    without: 'a file with rows of lanes that others hold does not wait for those lanes',
    seams: () => {
      const own = new Set<number>();
      return {
        laneFollower: (follower) =>
          replaced(follower, {
            acquired: (partitions) => {
              for (const partition of partitions) own.add(partition);
              follower.acquired(partitions);
            },
            released: async (partitions, timeoutMs) => {
              await follower.released(partitions, timeoutMs);
              for (const partition of partitions) own.delete(partition);
            },
            lost: (partitions) => {
              follower.lost(partitions);
              for (const partition of partitions) own.delete(partition);
            },
          }),
        tables: (tables) => ({
          ...tables,
          positions: async (appIds) => {
            const rows = await tables.positions(appIds);
            const others = appIds.filter((appId) => !own.has(Number(appId.slice(-1))));
            const far = others.map(
              (appId) => [appId, { version: Number.MAX_SAFE_INTEGER, seq: 0n }] as const,
            );
            return new Map([...rows, ...far]);
          },
        }),
      };
    },
  },
};

/** Of each insert the next file with the same lanes comes along, and is taken for in when its turn comes. */
function inPairs(inserter: FileInserter, { world, clickhouse }: SimEngine): FileInserter {
  const along = new Set<string>();
  const next = (path: string) => {
    const files = storedVersions(truthOf(world.lake)).flatMap(({ facts }) =>
      facts.entry!.cuts.flatMap((cut) => cut.files ?? []),
    );
    const at = files.findIndex((file) => file.path === path);
    const lanes = files[at]!.lanes.join();
    return files.slice(at + 1).find((file) => file.lanes.join() === lanes);
  };
  return {
    ...inserter,
    insert: async (_, file, signal): Promise<InsertOutcome> => {
      if (along.has(file.path)) return { error: null, unknown: false };
      const second = next(file.path);
      if (second === undefined) return await clickhouse.insert(file.path, [file], signal);
      const pair = [file, { path: second.path, rows: second.rows, sizeBytes: 1 }];
      const outcome = await clickhouse.insert(`${file.path} ${second.path}`, pair, signal);
      if (outcome.error === null) along.add(second.path);
      return outcome;
    },
  };
}

/** Positions and done rows look as new as they ever did. */
function neverSetBack(tables: FollowerTables): FollowerTables {
  const seqs = new Map<string, bigint>();
  const done = new Map<string, FileState>();
  return {
    ...tables,
    positions: async (appIds) => {
      const found = await tables.positions(appIds);
      for (const [appId, position] of found) {
        const seq = seqs.get(appId) ?? 0n;
        if (position.seq > seq) seqs.set(appId, position.seq);
        else found.set(appId, { ...position, seq });
      }
      for (const appId of appIds) {
        if (!found.has(appId) && seqs.has(appId)) found.set(appId, { version: -1, seq: seqs.get(appId)! });
      }
      return found;
    },
    states: async (paths) => {
      const found = await tables.states(paths);
      for (const path of paths) if (done.has(path)) found.set(path, done.get(path)!);
      return found;
    },
    writePositions: async (rows, atMs) => {
      await tables.writePositions(rows, atMs);
      for (const { appId, seq } of rows) seqs.set(appId, seq);
    },
    recordDone: async (files, atMs) => {
      await tables.writeStates('done', files, atMs);
      for (const { path } of files) done.set(path, { done: true, atMs });
      return new Set(files.map(({ path }) => path));
    },
  };
}
