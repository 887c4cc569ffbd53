import { jsonOf } from '../ledger/status-text.js';
import { withCluster } from './operated-cluster.js';
import { compareAll, faultsOf, type TopicsOptions } from './report.js';
import { checkText } from './text.js';

/** `headrace topics check`: resolves to 0 when all is as planned, to 1 when something differs. Throws what brokers and plan throw. */
export async function topicsCheck(options: TopicsOptions): Promise<number> {
  const { json, stdout } = options;
  return await withCluster(options, async (cluster) => {
    const report = await compareAll(cluster, options);
    stdout(json ? `${jsonOf(report)}\n` : `${checkText(report)}\n`);
    return faultsOf(report).length === 0 ? 0 : 1;
  });
}
