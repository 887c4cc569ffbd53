import type { PageFacts } from './page-facts.js';
import { element, fill } from './table.js';
import { bytes, orUnknown, seconds, time, whole } from './text.js';

/** What the facts say, in tables and bars. */

export function showFigures({ figures }: PageFacts): void {
  const text = { count: whole, bytes, seconds, ratio: (value: number) => `${(value * 100).toFixed(2)} %` };
  const groups = figures.map(({ label, metric, value, unit }) => {
    const number = element('dd', [text[unit](value)]);
    number.dataset.metric = metric;
    number.dataset.value = String(value);
    return element('div', [element('dt', [label]), number]);
  });
  document.getElementById('figures')!.replaceChildren(...groups);
}

export function showLanes({ lanes, lanesLeftOut, atMs }: PageFacts): void {
  fill(
    'lane-table',
    [
      { head: 'partition', text: ({ partition }) => String(partition), value: ({ partition }) => partition },
      { head: 'worker', text: ({ worker }) => String(worker) },
      {
        head: 'state',
        text: ({ state, reason }) => (reason === null ? state : `${state}: ${reason}`),
        isText: true,
      },
      { head: 'offset', text: ({ position }) => whole(position), value: ({ position }) => position },
      { head: 'committed', text: ({ committed }) => whole(committed), value: ({ committed }) => committed },
      { head: 'lag', text: ({ lag }) => orUnknown(lag, whole), value: ({ lag }) => lag },
      {
        head: 'watermark',
        text: ({ watermarkMs }) => orUnknown(watermarkMs, time),
        value: ({ watermarkMs }) => watermarkMs,
      },
      {
        head: 'behind',
        text: ({ watermarkMs }) => orUnknown(watermarkMs, (ms) => seconds(Math.max(0, atMs - ms) / 1_000)),
      },
      {
        head: 'open sessions',
        text: ({ openSessions }) => orUnknown(openSessions, whole),
        value: ({ openSessions }) => openSessions,
      },
      {
        head: 'ring',
        text: ({ ringFill }) => `${Math.round(ringFill * 100)} % full`,
        meter: ({ ringFill }) => ringFill,
      },
    ],
    lanes,
  );
  if (lanesLeftOut > 0) {
    document.getElementById('lane-table')!.append(element('caption', [`and ${whole(lanesLeftOut)} more`]));
  }
}

export function showFollowers({ followers }: PageFacts): void {
  fill(
    'follower-table',
    [
      { head: 'follower', text: ({ name }) => name },
      {
        head: 'state',
        text: ({ isInTrouble }) => (isInTrouble ? 'does not get on' : 'follows'),
        isText: true,
      },
      {
        head: 'behind',
        text: ({ behind, unit }) => `${whole(behind)} ${unit}`,
        value: ({ behind }) => behind,
      },
      {
        head: 'lag',
        text: ({ lagSeconds }) => orUnknown(lagSeconds, seconds),
        value: ({ lagSeconds }) => lagSeconds,
      },
      { head: 'rows', text: ({ rows }) => orUnknown(rows, whole), value: ({ rows }) => rows },
    ],
    followers,
  );
}

export function showLetters({ deadLetters }: PageFacts): void {
  const most = Math.max(1, ...deadLetters.map(({ letters }) => letters));
  fill(
    'letter-table',
    [
      { head: 'reason', text: ({ reason }) => reason },
      { head: 'letters', text: ({ letters }) => whole(letters), value: ({ letters }) => letters },
      { head: 'share', text: ({ letters }) => whole(letters), meter: ({ letters }) => letters / most },
    ],
    deadLetters,
  );
}

export function showLedger({ commits }: PageFacts): void {
  fill(
    'commit-table',
    [
      { head: 'version', text: ({ version }) => String(version), value: ({ version }) => version },
      { head: 'committed at (UTC)', text: ({ atMs }) => time(atMs), isText: true },
      { head: 'cuts', text: ({ cuts }) => whole(cuts) },
      { head: 'lanes', text: ({ lanes }) => whole(lanes) },
      { head: 'rows', text: ({ rows }) => whole(rows), value: ({ rows }) => rows },
      { head: 'files', text: ({ files }) => whole(files) },
      { head: 'bytes', text: (commit) => bytes(commit.bytes) },
      { head: 'dead letters', text: ({ deadLetters }) => whole(deadLetters) },
      { head: 'snapshots', text: ({ snapshots }) => whole(snapshots) },
      { head: 'took', text: ({ tookMs }) => seconds(tookMs / 1_000) },
    ],
    [...commits].reverse(),
  );
  const most = Math.max(1, ...commits.map(({ rows }) => rows));
  const bars = commits.map(({ version, rows, cuts, snapshots }) => {
    const bar = element('li', []);
    bar.style.height = `${Math.max(3, (rows / most) * 100)}%`;
    bar.title = `version ${version}: ${whole(rows)} rows of ${cuts} cuts, ${snapshots} snapshots`;
    if (snapshots > 0) bar.className = 'snapshot';
    return bar;
  });
  document.getElementById('timeline')!.replaceChildren(...bars);
}
