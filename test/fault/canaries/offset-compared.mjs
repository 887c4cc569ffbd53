/**
 * Preloaded into an engine, breaks rule 6: another's version takes a lane away only when it moved the lane's offset, as if
 * offsets were compared and not parents. Marks move none.
 */
import './late-news.mjs';
import { LedgerHistory } from '#src/ledger/history.js';

const { apply, partitionsOf } = LedgerHistory.prototype;
/** By version: partitions that stood there before. */
const unmoved = new Map();

LedgerHistory.prototype.apply = function (facts) {
  const stood = facts.txns.flatMap(({ appId, version }) => {
    const [topicId, partition] = appId.split('/').slice(-2);
    return this.lane(topicId, Number(partition))?.committedTo === version ? [Number(partition)] : [];
  });
  unmoved.set(facts.version, new Set(stood));
  apply.call(this, facts);
};

LedgerHistory.prototype.partitionsOf = function (facts, topicId) {
  return partitionsOf
    .call(this, facts, topicId)
    .filter((partition) => !unmoved.get(facts.version).has(partition));
};
