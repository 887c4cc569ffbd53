import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { ENGINE_METRICS } from './engine-metrics.js';
import type { EngineFacts } from './facts.js';
import { LANE_METRICS } from './lane-metrics.js';
import { known, type MetricInfo } from './metric.js';
import { READY_METRICS, type ReadyState } from './ready-metrics.js';

/**
 * The facts in Prometheus's words. The counting is done elsewhere, in shared memory: nothing here is touched but when somebody
 * asks. process_* and nodejs_* are the library's own.
 */
export class Exposition {
  readonly #registry = new Registry();
  #facts: EngineFacts | null = null;
  #state: ReadyState = { isReady: false, notReadySeconds: 0, recoveries: 0, lastRecovery: null };

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const info of [...ENGINE_METRICS, ...LANE_METRICS]) this.#add(info);
    for (const { name, help, type, value } of READY_METRICS) {
      this.#register(name, help, type, () => known(value(this.#state), {}));
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** `facts`: null while there is no engine yet. */
  async text(facts: EngineFacts | null, state: ReadyState): Promise<string> {
    this.#facts = facts;
    this.#state = state;
    return await this.#registry.metrics();
  }

  #add({ name, help, type, read }: MetricInfo): void {
    this.#register(name, help, type, () =>
      this.#facts === null ? [] : read(this.#facts).map((value) => ({ labels: {}, ...value })),
    );
  }

  /** What the registry asks of a metric is `get`; the library's own classes would count once more what is counted already. */
  #register(name: string, help: string, type: MetricInfo['type'], read: () => object[]): void {
    const metric = { name, get: async () => ({ name, help, type, aggregator: 'sum', values: read() }) };
    this.#registry.registerMetric(metric as unknown as Metric);
  }
}
