/**
 * Preloaded into an engine: what the group has to tell it comes late, as it may. Whether an engine that was frozen may commit
 * is then for the ledger alone to say.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LaneManager } from '#src/lanes/manager.js';

const NEWS_MS = 15_000;
const { revoked, lost } = LaneManager.prototype;

LaneManager.prototype.revoked = async function (partitions) {
  await sleep(NEWS_MS);
  await revoked.call(this, partitions);
};

LaneManager.prototype.lost = function (partitions) {
  void sleep(NEWS_MS).then(() => lost.call(this, partitions));
};
