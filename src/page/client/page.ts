import { Chart } from './charts.js';
import { letters } from './letters.js';
import type { PageFacts } from './page-facts.js';
import { Panel } from './panel.js';
import { showFigures, showFollowers, showLanes, showLedger, showLetters } from './tables.js';
import { followable } from './tails.js';
import { versions } from './versions.js';
import { views } from './views.js';

/**
 * The page: takes what the engine sends, and shows it; panels ask for more while somebody looks at them. It keeps nothing but the last
 * minutes of the plots.
 */

const byId = (id: string) => document.getElementById(id)!;
const chart = (id: string, ...series: ConstructorParameters<typeof Chart>[1][number][]) =>
  new Chart(byId(id), series);

const charts = {
  throughput: chart('throughput', { label: 'events/s', colour: '--one' }),
  latency: chart('latency', { label: 'p50', colour: '--one' }, { label: 'p95', colour: '--two' }),
  lag: chart('lag', { label: 'events', colour: '--one' }),
  eventTime: chart('event-time', { label: 'seconds', colour: '--one' }),
};
let before: PageFacts | null = null;
let isPaused = false;
for (const panel of [views, letters, versions]) new Panel(panel, () => isPaused);
// what scrolls must be reached by keyboard
for (const each of document.querySelectorAll<HTMLElement>('.tall')) each.tabIndex = 0;
for (const what of ['sessions', 'events'] as const) followable(what);

function show(facts: PageFacts): void {
  plot(facts);
  before = facts;
  if (isPaused) return;
  const { topic, group, model, table, version } = facts.about;
  byId('about').textContent = `${topic} (${group}, ${model}) → ${table} · ${version}`;
  showStatus(facts);
  showFigures(facts);
  showLanes(facts);
  showFollowers(facts);
  showLetters(facts);
  showLedger(facts);
}

function showStatus({ readiness: { ready, reasons, warnings } }: PageFacts): void {
  const status = byId('status');
  const said = ready ? ['ready', ...warnings] : ['not ready', ...reasons, ...warnings];
  status.textContent = said.join(' · ');
  status.className = ready ? (warnings.length > 0 ? 'warning' : 'ready') : 'not-ready';
}

function plot(facts: PageFacts): void {
  const { atMs, lag, eventTimeLagSeconds } = facts;
  charts.lag.add(atMs, [lag]);
  charts.eventTime.add(atMs, [eventTimeLagSeconds]);
  if (before === null || atMs <= before.atMs) return;
  const perSecond = ((facts.events - before.events) * 1_000) / (atMs - before.atMs);
  charts.throughput.add(atMs, [Math.max(0, perSecond)]);
  charts.latency.add(atMs, [quantile(facts, before, 0.5), quantile(facts, before, 0.95)]);
}

/** Of the commits since the sample before: the bound below which so many of them lie; null: there were none. */
function quantile(now: PageFacts, then: PageFacts, share: number): number | null {
  const { boundsSeconds } = now.cutCommit;
  const counts = now.cutCommit.buckets.map((count, i) => count - (then.cutCommit.buckets[i] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let seen = 0;
  const at = counts.findIndex((count) => {
    seen += count;
    return seen >= share * total;
  });
  return boundsSeconds[Math.min(at, boundsSeconds.length - 1)]!;
}

function listen(): void {
  const source = new EventSource('/events');
  source.onmessage = ({ data }) => show(JSON.parse(data as string) as PageFacts);
  source.onerror = () => {
    const status = byId('status');
    status.textContent = 'the engine does not answer; asking again';
    status.className = 'not-ready';
  };
}

function pause(): void {
  isPaused = !isPaused;
  const button = byId('pause');
  button.textContent = isPaused ? 'Go on' : 'Pause';
  button.setAttribute('aria-pressed', String(isPaused));
  if (!isPaused && before !== null) show(before);
}

function switchTheme(): void {
  const root = document.documentElement;
  const isDark =
    root.dataset.theme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : root.dataset.theme === 'dark';
  root.dataset.theme = isDark ? 'light' : 'dark';
  for (const each of Object.values(charts)) each.restyle();
}

byId('pause').addEventListener('click', pause);
byId('theme').addEventListener('click', switchTheme);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const each of Object.values(charts)) each.restyle();
});
document.addEventListener('keydown', ({ key, ctrlKey, altKey, metaKey, target }) => {
  if (ctrlKey || altKey || metaKey) return;
  // who types, or chooses by a letter, means no shortcut
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  if (key === 'p') pause();
  if (key === 't') switchTheme();
});
listen();
