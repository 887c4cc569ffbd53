import { LatencyHistogram } from './latency-histogram.js';
import { WindowedRate } from './windowed-rate.js';

/** What `metrics()` answers; Java's names of the same are beside. */
export interface ProducerMetrics {
  /** Events that the brokers have acknowledged. */
  sent: number;
  /** Events that were given up after they had been accepted; what their errors say differs. */
  failed: number;
  /** Events that were never sent: invalid, too large, or no room in time. */
  refused: number;
  /** Sent to the client and not settled yet. */
  inFlight: number;
  /** In line for room in the buffer. */
  waiting: number;
  /** From send() to the acknowledgement, of all that were acknowledged; 0 before the first. Percentiles are up to 3.2 % high. */
  latencyMs: { average: number; p50: number; p95: number; p99: number; p999: number; max: number };
  /** record-send-rate: acknowledged events a second, over the last 30 s. */
  recordSendRate: number;
  /** record-error-rate: failed events a second, over the last 30 s. */
  recordErrorRate: number;
  /** request-latency-avg: from a request to its answer, ms, in the last second that had any; 0 before the first. */
  requestLatencyAvg: number;
  /** buffer-available-bytes. */
  bufferAvailableBytes: number;
  /** buffer-total-bytes. */
  bufferTotalBytes: number;
}

/** Counts as it goes. */
export class ProducerCounts {
  readonly #latency = new LatencyHistogram();
  readonly #sentRate: WindowedRate;
  readonly #failedRate: WindowedRate;
  sent = 0;
  failed = 0;
  refused = 0;
  requestLatencyAvg = 0;

  constructor(nowMs: number) {
    this.#sentRate = new WindowedRate(nowMs);
    this.#failedRate = new WindowedRate(nowMs);
  }

  addSent(nowMs: number, latencyMs: number): void {
    this.sent++;
    this.#latency.add(latencyMs);
    this.#sentRate.add(nowMs);
  }

  addFailed(nowMs: number): void {
    this.failed++;
    this.#failedRate.add(nowMs);
  }

  get averageLatencyMs(): number {
    return this.#latency.averageMs;
  }

  metrics(
    nowMs: number,
    now: Pick<ProducerMetrics, 'inFlight' | 'waiting' | 'bufferAvailableBytes' | 'bufferTotalBytes'>,
  ): ProducerMetrics {
    const latency = this.#latency;
    return {
      sent: this.sent,
      failed: this.failed,
      refused: this.refused,
      inFlight: now.inFlight,
      waiting: now.waiting,
      latencyMs: {
        average: latency.averageMs,
        p50: latency.percentileMs(0.5),
        p95: latency.percentileMs(0.95),
        p99: latency.percentileMs(0.99),
        p999: latency.percentileMs(0.999),
        max: latency.maxMs,
      },
      recordSendRate: this.#sentRate.perSecond(nowMs),
      recordErrorRate: this.#failedRate.perSecond(nowMs),
      requestLatencyAvg: this.requestLatencyAvg,
      bufferAvailableBytes: now.bufferAvailableBytes,
      bufferTotalBytes: now.bufferTotalBytes,
    };
  }
}
