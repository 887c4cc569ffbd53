import { Exposition } from '#src/metrics/exposition.js';
import { engineFacts, laneFacts } from './engine-facts.js';
import type { ExposedMetrics } from './promql.js';

const SERIES = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/;
const LABEL = /([a-zA-Z_]\w*)="(?:\\.|[^"\\])*"/g;

/** All that /metrics of an engine shows when it has something to say of everything, and Prometheus's own `up`. */
export async function exposedMetrics(): Promise<ExposedMetrics> {
  const halted = laneFacts(2, { halted: { code: 'BATCH_CORRUPT', reason: 'a batch is broken' } });
  const replaying = laneFacts(3, { state: 'recovering', replayingSeconds: 4 });
  const facts = engineFacts({ lanes: [laneFacts(0), halted, replaying] });
  const state = {
    isReady: true,
    notReadySeconds: 3,
    recoveries: 1,
    lastRecovery: { seconds: 3, atSeconds: 1_800_000_000 },
  };
  return parsed(await new Exposition().text(facts, state));
}

/** Of the text format: each name with its type and the labels of all its series. */
function parsed(text: string): ExposedMetrics {
  const types = new Map<string, string>();
  const found = new Map<string, { type: string; labels: Set<string> }>([
    ['up', { type: 'gauge', labels: new Set() }],
  ]);
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1]!, type[2]!);
    const series = SERIES.exec(line);
    if (series === null) continue;
    const [, name, labels = ''] = series;
    const known = found.get(name!) ?? { type: typeOf(name!, types), labels: new Set<string>() };
    found.set(name!, known);
    for (const [, label] of labels.matchAll(LABEL)) known.labels.add(label!);
  }
  return found;
}

/** The series of a histogram only grow. */
function typeOf(name: string, types: ReadonlyMap<string, string>): string {
  const own = types.get(name);
  if (own !== undefined) return own;
  return types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram' ? 'counter' : 'untyped';
}
