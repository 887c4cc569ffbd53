import { type Clock, systemClock } from '../../clock.js';
import type { BrokerAccess } from '../../config/types.js';
import { createLog } from '../../telemetry/log.js';
import { coloursFor } from '../../telemetry/progress.js';
import { connectBrokers } from '../connect-brokers.js';
import { Narrator, type NarratorStream } from '../demo-narrator.js';
import { watchSignals } from '../demo-signals.js';
import { stdoutTakesMore } from '../stdout-pace.js';
import { type Check, type CheckResult, evaluate } from './checks.js';
import { type Figures, figuresOf, type Look } from './figures.js';
import { ClusterEye } from './look.js';
import { checkText, headline, viewText } from './view.js';

/** What `headrace monitor` was asked to do. */
export interface MonitorOptions extends BrokerAccess {
  /** Agents; empty: there are none. */
  metrics: readonly string[];
  /** Files of producers, or folders of them. */
  producers: readonly string[];
  checks: readonly Check[];
  intervalMs: number;
  /** One look (two, for rates) and an end. */
  once: boolean;
  json: boolean;
  stdout(text: string): void;
  terminal: NarratorStream;
}

const FAILED_EXIT_CODE = 1;

/** Resolves to 0, 1 where a check failed at the last look. Throws HeadraceError KAFKA_UNREACHABLE. */
export async function monitorCommand(options: MonitorOptions): Promise<number> {
  const { brokers, security, metrics, producers, checks, intervalMs, once, json, stdout, terminal } = options;
  const clock: Clock = systemClock;
  const interrupt = watchSignals();
  const { signal } = interrupt;
  const log = createLog({ level: 'error', format: 'auto' });
  const cluster = await connectBrokers({ brokers, security, log });
  const eye = new ClusterEye(cluster, { brokers, security }, { metrics, producers }, clock);
  const narrator = new Narrator(terminal);
  const colours = coloursFor(terminal);
  let results: CheckResult[] = [];
  try {
    let before: Look | null = await eye.look();
    await clock.sleep(intervalMs, signal);
    while (!signal.aborted) {
      const look: Look = await eye.look();
      const figures = figuresOf(look, before);
      before = look;
      results = checks.map((check) => evaluate(check, figures));
      if (json) stdout(`${JSON.stringify(toJson(figures, results))}\n`);
      else if (once) stdout(`${viewText(figures, results, coloursFor(process.stdout))}\n`);
      else {
        const plain = [headline(figures), ...results.map((result) => checkText(result, colours))];
        narrator.status(viewText(figures, results, colours).split('\n'), plain);
      }
      if (once || !(await stdoutTakesMore())) break;
      await clock.sleep(intervalMs, signal);
    }
    narrator.keepStatus();
  } finally {
    interrupt.end();
    await eye.close();
    await cluster.close();
  }
  return results.every(({ holds }) => holds) ? 0 : FAILED_EXIT_CODE;
}

/** With each group of figures what it comes from. */
function toJson(figures: Figures, checks: readonly CheckResult[]): object {
  const { brokers, topics, groups, producers, totals, overSeconds, troubles } = figures;
  const seconds = overSeconds === null ? null : Number(overSeconds.toFixed(3));
  return {
    sources: {
      topics: 'protocol: offsets, in-sync replicas, log folders',
      groups: 'protocol: committed offsets',
      producers: 'their own metrics files',
      rates: totals.ratesFrom,
      agents: brokers.filter(({ agent }) => agent !== null).map(({ id }) => id),
    },
    overSeconds: seconds,
    totals,
    brokers,
    topics,
    groups,
    producers,
    checks,
    troubles,
  };
}
