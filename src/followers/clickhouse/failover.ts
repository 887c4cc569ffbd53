import type { ClickHouseHosts } from '../../clickhouse/hosts.js';
import type { FileInserter } from './file-inserter.js';

/**
 * Workers have clients of their own, and each moves on from a host that it can't reach. What an insert has met is told to the hosts
 * of the main thread too: they would find out by a request that takes its whole time.
 */
export function tellingHosts(inserter: FileInserter, hosts: Pick<ClickHouseHosts, 'failed'>): FileInserter {
  return {
    insert: async (worker, file, signal) => {
      const outcome = await inserter.insert(worker, file, signal);
      // one that was given up says nothing of its host
      if (outcome.error !== null && !signal.aborted) hosts.failed(outcome.error);
      return outcome;
    },
    probe: (worker, file) => inserter.probe(worker, file),
    forget: (worker, paths) => inserter.forget(worker, paths),
  };
}
