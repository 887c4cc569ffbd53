import {
  type Colours,
  formatBytes,
  formatCount,
  formatElapsed,
  formatTable,
  formatWhole,
} from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import type { EngineFigures, FollowerFigures } from './figures.js';
import { type LaneColumn, type LaneRow, lanesBy } from './lane-order.js';

/** The figures for people: some lines an engine, and a table of all lanes below. */

const UNKNOWN = '–';
const REASON_CHARACTERS_MAX = 200;
/** Title, head and rule of the table, and a line that says what was left out. */
const TABLE_LINES = 4;

export interface TopView {
  engines: readonly EngineFigures[];
  /** Engines that did not answer, and why. */
  troubles: readonly { url: string; message: string }[];
  sort: LaneColumn;
  /** What there is room for; null: all. */
  linesMax: number | null;
}

export function viewLines({ engines, troubles, sort, linesMax }: TopView, colours: Colours): string[] {
  const above = [
    ...engines.flatMap((engine) => [...engineLines(engine, colours), '']),
    ...troubles.map(({ message }) => `${colours.red('no answer')} ${printable(message)}`),
  ];
  const lanes = lanesBy(sort, engines);
  if (lanes.length === 0) return above;
  const room = linesMax === null ? lanes.length : Math.max(1, linesMax - above.length - TABLE_LINES);
  const shown = lanes.slice(0, room);
  const leftOut = lanes.length - shown.length + engines.reduce((sum, each) => sum + each.lanesLeftOut, 0);
  return [
    ...above,
    colours.bold(`Lanes by ${sort}`),
    ...laneTable(shown, engines.length > 1).split('\n'),
    ...(leftOut > 0 ? [`… and ${formatWhole(leftOut)} more`] : []),
  ];
}

/** One line an engine, for where nothing can be drawn over. */
export function plainLines({ engines, troubles }: Pick<TopView, 'engines' | 'troubles'>): string[] {
  return [
    ...engines.map((engine) => {
      return `${engine.url}: ${stateText(engine)} · ${flowText(engine)} · ${commitText(engine)}`;
    }),
    ...troubles.map(({ message }) => `no answer ${printable(message)}`),
  ];
}

function engineLines(engine: EngineFigures, colours: Colours): string[] {
  const { about, isReady, reasons, warnings, uptimeSeconds, deadLetters, followers } = engine;
  const up = uptimeSeconds === null ? '' : ` up ${formatElapsed(uptimeSeconds * 1_000)}`;
  const what =
    about === null
      ? ''
      : ` · ${printable(about.topic)} → ${printable(about.table)} · model ${printable(about.model)}, group ${printable(about.group)}`;
  const state = isReady ? colours.green('ready') : colours.yellow('not ready');
  const letters = deadLetters.map(
    ({ reason, letters: count }) => `${printable(reason)} ${formatCount(count)}`,
  );
  const note = (text: string) => printable(text, REASON_CHARACTERS_MAX);
  return [
    `${state} ${colours.bold(engine.url)}${up}${what}`,
    ...reasons.map((reason) => `  waits: ${note(reason)}`),
    ...warnings.map((warning) => `  ${colours.red('look at')} ${note(warning)}`),
    ...(about === null ? [] : [flowText(engine), commitText(engine), memoryText(engine)].map(indented)),
    ...(followers.length === 0 ? [] : [`  followers: ${followers.map(followerText).join(' · ')}`]),
    ...(letters.length === 0 ? [] : [`  ${colours.yellow('dead letters')} ${letters.join(', ')}`]),
  ];
}

function indented(text: string): string {
  return `  ${text}`;
}

function stateText({ isReady, reasons }: EngineFigures): string {
  return isReady ? 'ready' : `not ready (${printable(reasons.join('; '), REASON_CHARACTERS_MAX)})`;
}

function flowText(engine: EngineFigures): string {
  return [
    `${count(engine.eventsPerSecond)} events/s`,
    `${bytes(engine.bytesPerSecond)}/s`,
    `lag ${count(engine.lag)}, not committed ${count(engine.uncommitted)}`,
    `watermark behind ${seconds(engine.watermarkLagSeconds)}`,
  ].join(' · ');
}

function commitText(engine: EngineFigures): string {
  const { tableVersion, commits, commitsPerSecond } = engine;
  return [
    `${count(engine.openSessions)} open sessions`,
    `${count(commits)} commits (${perSecond(commitsPerSecond)}), version ${tableVersion === null ? UNKNOWN : formatWhole(tableVersion)}`,
  ].join(' · ');
}

function memoryText({ memory, cpuCores }: EngineFigures): string {
  const { residentBytes, heapBytes, sessionBytes, sessionLimitBytes, plannedBytes } = memory;
  return [
    `memory ${bytes(residentBytes)} of ${bytes(plannedBytes)} planned`,
    `sessions ${bytes(sessionBytes)} of ${bytes(sessionLimitBytes)}`,
    `heap ${bytes(heapBytes)}`,
    `CPU ${cpuCores === null ? UNKNOWN : cpuCores.toFixed(2)} cores`,
  ].join(' · ');
}

function followerText({ name, behind, unit, lagSeconds, isInTrouble }: FollowerFigures): string {
  const lag = lagSeconds === null ? '' : `, ${seconds(lagSeconds)}`;
  return `${name} ${formatWhole(behind)} ${unit} behind${lag}${isInTrouble ? ' (does not get on)' : ''}`;
}

function laneTable(lanes: readonly LaneRow[], isOfSeveral: boolean): string {
  // what a screen of 80 characters has no room for is the least
  const head = ['partition', 'worker', 'offset', 'events/s', 'lag', 'behind', 'ring', 'sessions'];
  const rest = ['state', 'watermark (UTC)'];
  const rows = lanes.map((lane) => [
    ...(isOfSeveral ? [lane.engine + 1] : []),
    lane.partition,
    lane.worker,
    formatWhole(lane.offset),
    count(lane.eventsPerSecond),
    count(lane.lag),
    seconds(lane.watermarkLagSeconds),
    lane.ringFill === null ? UNKNOWN : `${Math.round(lane.ringFill * 100)} %`,
    count(lane.openSessions),
    lane.state,
    watermarkText(lane.watermarkMs),
  ]);
  return formatTable([...(isOfSeveral ? ['engine'] : []), ...head, ...rest], rows);
}

/** Events may say any time. */
function watermarkText(ms: number | null): string {
  const time = ms === null ? null : new Date(ms);
  if (time === null || Number.isNaN(time.getTime())) return UNKNOWN;
  return time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
}

/** Event time may be ahead of the clock, too. */
function seconds(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value < 0 ? `-${formatElapsed(-value * 1_000)}` : formatElapsed(value * 1_000);
}

function perSecond(value: number | null): string {
  return value === null ? UNKNOWN : `${value < 10 ? value.toFixed(1) : formatCount(value)}/s`;
}

function count(value: number | null): string {
  return value === null ? UNKNOWN : formatCount(value);
}

function bytes(value: number | null): string {
  return value === null ? UNKNOWN : formatBytes(value);
}
