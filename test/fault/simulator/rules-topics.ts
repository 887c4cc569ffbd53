import type { LanePosition } from '#src/followers/topics/positions.js';
import type { Rule } from './rules.js';
import { replaced } from './seam-tools.js';

/** How rows come into the output topic. */
export const TOPIC_RULES: Readonly<Record<string, Rule>> = {
  '20-lanes': {
    without: 'a transaction carries lanes that its sender had and has not any more',
    seams: () => ({
      topicFollower: (follower) => replaced(follower, { released: async () => {}, lost: () => {} }),
    }),
  },
  '20-partitions': {
    without:
      'a revoke is answered while the lane is still in the transaction under way: the group will not have it (rule 18)',
    seams: () => ({
      topicFollower: (follower) =>
        replaced(follower, {
          released: async (partitions) => void follower.released(partitions, 60_000),
        }),
    }),
  },
  '20-generation': {
    without: 'the group does not look whose transaction it is',
    seams: () => ({ checksGeneration: false }),
  },
  '20-init': {
    without: 'positions are read before the transactions of before are ended',
    seams: ({ world }) => ({
      sink: (sink) => {
        let before = new Map<string, LanePosition>();
        return replaced(sink, {
          open: async () => {
            before = new Map(world.broker.positions);
            await sink.open();
          },
          positions: async (appIds) => {
            // as late as the others: it asks all the same
            await sink.positions(appIds);
            return new Map(appIds.map((appId) => [appId, before.get(appId) ?? null]));
          },
        });
      },
    }),
  },
  '20-producer': {
    without: 'after an outcome that is not known the producer goes on as if nothing was',
    seams: () => ({
      sink: (sink) => {
        let opened: Promise<void> | null = null;
        return replaced(sink, {
          open: async () => {
            opened ??= sink.open();
            await opened.catch((error: unknown) => {
              opened = null;
              throw error;
            });
          },
        });
      },
    }),
  },
};
