import type { LaneHistory } from '#src/ledger/history.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { Rule } from './rules.js';
import { replaced } from './seam-tools.js';
import type { SimEngine } from './sim-engine.js';

/** How a lane begins, comes back, and is moved by hand. */
export const RECOVERY_RULES: Readonly<Record<string, Rule>> = {
  '5': {
    without: 'a lane is read before its first commit says where it starts',
    seams: () => {
      const assumed = new Map<number, LaneHistory>();
      return {
        engine: {
          ledger: (ledger) =>
            replaced(ledger, {
              lane: (partition) => ledger.lane(partition) ?? assumed.get(partition),
              commit: async (build) =>
                await ledger.commit(() => {
                  const draft = build();
                  const lanes = draft?.cuts.flatMap((cut) => cut.lanes) ?? [];
                  if (lanes.length === 0 || lanes.some(({ start }) => start !== true)) return draft;
                  for (const { partition, from } of lanes)
                    assumed.set(partition, unread(partition, BigInt(from)));
                  return null;
                }),
            }),
        },
      };
    },
  },
  '10': {
    without: 'files are not on the disk (fsync) when they are named; a machine that goes down forgets them',
    seams: () => ({ fsync: 'never' }),
  },
  '11': {
    without: 'the newest snapshot in the lake is used, be its cut in the ledger or not',
    seams: (engine) => ({
      engine: { ledger: (ledger) => withHistory(ledger, (lane) => newest(lane, engine)) },
    }),
  },
  '12': {
    without: 'a replay applies no marks',
    seams: () => ({
      engine: {
        ledger: (ledger) =>
          withHistory(ledger, (lane) => ({ ...lane, cuts: lane.cuts.map((cut) => ({ ...cut, marks: {} })) })),
      },
    }),
  },
  '12-own': {
    without: "a replay leaves out the marks of later cuts at the snapshot's own offset",
    seams: () => ({
      engine: {
        ledger: (ledger) =>
          withHistory(ledger, (lane) => {
            const offset = lane.snapshots.at(-1)?.offset ?? -1n;
            const cuts = lane.cuts.map((cut) => (cut.to === offset ? { ...cut, marks: {} } : cut));
            return { ...lane, cuts };
          }),
      },
    }),
  },
  '12-output': {
    without: 'a replay has its output on',
    seams: () => ({
      engine: {
        ledger: (ledger) =>
          withHistory(ledger, (lane) => {
            const committedTo = lane.snapshots.at(-1)?.offset ?? lane.startOffset;
            return { ...lane, committedTo, cuts: [] };
          }),
      },
    }),
  },
  '15': {
    without: 'an engine that was frozen takes the time since it asked for time in which nothing came',
    seams: () => ({ silence: 'answer' }),
  },
  '16': {
    without: 'an engine goes on with a table that was written by another model',
    seams: () => ({ semantics: 'unchecked' }),
  },
  '13': {
    without: 'older snapshots go as soon as a newer one is written',
    seams: ({ world }) => ({
      snapshotWritten: ({ path }) => {
        const folder = path.slice(0, path.lastIndexOf('/') + 1);
        const { objects } = world.lake.objects;
        for (const other of [...objects.keys()]) {
          if (other.startsWith(folder) && other < path) objects.delete(other);
        }
      },
    }),
  },
};

function unread(partition: number, offset: bigint): LaneHistory {
  const nothing = {
    version: -1,
    resetIn: null,
    watermarkMs: null,
    endedAt: null,
    snapshottedMs: null,
    snapshots: [],
    cuts: [],
    gaps: [],
  };
  return { partition, startOffset: offset, committedTo: offset, ...nothing };
}

function withHistory(ledger: Ledger, change: (lane: LaneHistory) => LaneHistory): Ledger {
  return replaced(ledger, {
    lane: (partition) => {
      const lane = ledger.lane(partition);
      return lane === undefined ? undefined : change(lane);
    },
  });
}

function newest(lane: LaneHistory, { world }: SimEngine): LaneHistory {
  const folder = `_headrace/snapshots/topic-id/${lane.partition}/`;
  const paths = [...world.lake.objects.objects.keys()].filter((path) => path.startsWith(folder)).sort();
  const path = paths.at(-1);
  if (path === undefined) return lane;
  const [, offsetText, cutId] = /\/(\d+)-(\d+)\.snap$/.exec(path)!;
  const offset = BigInt(offsetText!);
  const snapshot = { path, sizeBytes: 1, offset, cutId: cutId!, version: lane.version };
  return { ...lane, snapshots: [snapshot], cuts: lane.cuts.filter(({ to }) => to > offset) };
}
