import { HISTOGRAMS, type HistogramName } from '../telemetry/histograms.js';
import type { MetricInfo, MetricValue } from './metric.js';

/** Prometheus counts in seconds and bytes. */
const PER_BASE_UNIT = { ns: 1e9, ms: 1e3, bytes: 1, rows: 1 } as const;

/** A histogram of the shared memory, its buckets added up as Prometheus wants them. */
export function histogram(name: string, of: HistogramName): MetricInfo {
  const { help, unit } = HISTOGRAMS[of];
  const per = PER_BASE_UNIT[unit];
  return {
    name,
    help,
    type: 'histogram',
    read: ({ histograms }) => {
      const { bounds, buckets, count, sum } = histograms[of];
      let total = 0;
      const values: MetricValue[] = bounds.map((bound, i) => {
        total += buckets[i]!;
        return { metricName: `${name}_bucket`, labels: { le: bound / per }, value: total };
      });
      return [
        ...values,
        { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
        { metricName: `${name}_sum`, value: sum / per },
        { metricName: `${name}_count`, value: count },
      ];
    },
  };
}
