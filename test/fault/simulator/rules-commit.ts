import type { DeltaLog } from '#src/lake/delta/log.js';
import type { LaneManager } from '#src/lanes/manager.js';
import type { CommitDraft, Ledger } from '#src/ledger/ledger.js';
import type { HeldLane } from '#src/ledger/protocol.js';
import type { SealedReport } from '#src/ledger/types.js';
import type { Rule } from './rules.js';
import { replaced } from './seam-tools.js';

/** What is committed, by whom, and who has lost a lane. */
export const COMMIT_RULES: Readonly<Record<string, Rule>> = {
  '3': {
    without: 'what an older incarnation of a lane sealed counts as much as what the present one did',
    seams: () => ({
      sealed: (report) => ({ ...report, lanes: report.lanes.map((lane) => ({ ...lane, incarnation: 0 })) }),
      engine: {
        held: (manager) =>
          new Map([...manager.held()].map(([partition, lane]) => [partition, nameless(lane)])),
        ledger: (ledger, manager) => withDrafts(ledger, (draft) => named(draft, manager())),
      },
    }),
  },
  '4': {
    without: 'a lane whose offset did not move carries no transaction, whatever marks and rows it has',
    seams: () => ({
      engine: {
        ledger: (ledger) =>
          withDrafts(ledger, (draft) => ({
            ...draft,
            lanes: draft.lanes.filter(({ partition, to }) => to !== ledger.lane(partition)?.committedTo),
          })),
      },
    }),
  },
  '6a': {
    without: "an engine takes no notice of other engines' versions",
    seams: () => ({ engine: { foreign: () => [] } }),
  },
  '6a-race': {
    without: "an engine takes notice of other engines' versions only when it has lost a race to one",
    seams: () => {
      let reading = 0;
      return {
        engine: {
          foreign: (_, partitions) => (reading > 0 ? [] : partitions),
          ledger: (ledger) =>
            replaced(ledger, {
              refresh: async () => {
                reading++;
                await ledger.refresh().finally(() => reading--);
              },
            }),
        },
      };
    },
  },
  '6b': {
    without: 'a lane is lost when its offset in the ledger has moved on, whatever its last version was',
    seams: (engine) => ({
      engine: {
        foreign: (_, partitions, manager) =>
          partitions.filter((partition) => {
            const here = manager.lanes.get(partition)?.committedTo ?? 0n;
            return engine.ledger.lane(partition)!.committedTo > here;
          }),
      },
    }),
  },
  '7': {
    without: 'a file is committed if any of its lanes is',
    seams: () => {
      const reports: SealedReport[] = [];
      return {
        sealed: (report) => {
          const own = { ...report, files: report.files.map((file) => ({ ...file })) };
          reports.push(own);
          return own;
        },
        engine: {
          held: (manager) => {
            const held = manager.held();
            for (const report of reports) keepLiving(report, held);
            return held;
          },
        },
      };
    },
  },
  '8': {
    without: 'a put without an answer is taken for one that did not land',
    seams: () => ({ engine: { delta: (delta) => withOutcomes(delta, 'conflict') } }),
  },
  '8-landed': {
    without:
      'the file list comes from memory: what was put without an answer is taken for the version that is there',
    seams: () => ({ engine: { delta: (delta) => withOutcomes(delta, 'committed') } }),
  },
  '9': {
    without: 'nobody looks whether the log was cleaned up beyond a version that was put or is read on from',
    seams: () => ({
      unseen: /_last_checkpoint$/,
      engine: { delta: (delta) => replaced(delta, { isCleanedBeyond: async () => false }) },
    }),
  },
  '14': {
    without: 'the log is cleaned up as it gets old, whatever lanes and followers still need of it',
    horizon: 'ignored',
    seams: () => ({}),
  },
  '21': {
    without: "the group's offsets are committed with the ledger, ahead of ClickHouse",
    seams: (engine) => ({
      laneFollower: (follower) =>
        replaced(follower, {
          committed: (version, lanes) => {
            follower.committed(version, lanes);
            for (const { partition, to } of lanes) engine.manager.noteOffset(partition, version, to);
          },
        }),
    }),
  },
};

function nameless(lane: HeldLane): HeldLane {
  return { ...lane, incarnation: 0 };
}

function named<Draft extends CommitDraft>(draft: Draft, manager: LaneManager): Draft {
  const lanes = draft.lanes.map((lane) => {
    const incarnation = manager.lanes.get(lane.partition)?.incarnation;
    return { ...lane, incarnation };
  });
  return { ...draft, lanes };
}

function withDrafts(ledger: Ledger, change: <Draft extends CommitDraft>(draft: Draft) => Draft): Ledger {
  return replaced(ledger, {
    commit: (build) =>
      ledger.commit(() => {
        const draft = build();
        return draft === null ? null : change(draft);
      }),
  });
}

/** Names of a file only the lanes that are alive, as long as one is. */
function keepLiving(report: SealedReport, held: ReadonlyMap<number, HeldLane>): void {
  const alive = new Set(
    report.lanes
      .filter(({ partition, incarnation }) => held.get(partition)?.incarnation === incarnation)
      .map(({ partition }) => partition),
  );
  for (const file of report.files) {
    const lanes = file.lanes.filter((partition) => alive.has(partition));
    if (lanes.length > 0) file.lanes = lanes;
  }
}

function withOutcomes(delta: DeltaLog, unknown: 'committed' | 'conflict'): DeltaLog {
  return replaced(delta, {
    tryCommit: async (version, actions) => {
      try {
        const outcome = await delta.tryCommit(version, actions);
        return outcome === 'unknown' ? unknown : outcome;
      } catch {
        return unknown;
      }
    },
  });
}
