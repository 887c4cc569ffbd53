import { rename, writeFile } from 'node:fs/promises';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { PlainLog } from '../telemetry/log.js';
import type { ProducerMetrics } from './producer-metrics.js';

/** A producer's metrics in a file, which is replaced as a whole every two seconds: `headrace monitor --producers` reads it. */

export interface FiledMetrics extends ProducerMetrics {
  topic: string;
  profile: string;
  /** Of the process that writes it. */
  pid: number;
  /** When it was written, ms since 1970. */
  atMs: number;
  /** The producer was closed; these are its last figures. */
  isClosed: boolean;
}

export const METRICS_FILE_MS = 2_000;

export interface MetricsFileOptions {
  path: string;
  clock: Clock;
  log: PlainLog;
  /** Ends it, with the last figures written. */
  signal: AbortSignal;
  read(): Omit<FiledMetrics, 'pid' | 'atMs' | 'isClosed'>;
}

/** Resolves when the signal has come and the last figures are written. Never rejects: what can't be written is told once. */
export async function keepMetricsFile({ path, clock, log, signal, read }: MetricsFileOptions): Promise<void> {
  let hasFailed = false;
  for (let isClosed = false; !isClosed; ) {
    await clock.sleep(METRICS_FILE_MS, signal);
    isClosed = signal.aborted;
    const filed: FiledMetrics = { ...read(), pid: process.pid, atMs: clock.nowMs(), isClosed };
    const beside = `${path}.${process.pid}.new`;
    try {
      await writeFile(beside, `${JSON.stringify(filed)}\n`);
      await rename(beside, path);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) {
        const fields = { file: path, reason: messageOf(error) };
        log.warn(fields, "the producer's metrics can't be written; it sends on, and tries again");
      }
      hasFailed = true;
    }
  }
}
