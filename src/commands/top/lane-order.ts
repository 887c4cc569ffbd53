import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import type { EngineFigures, LaneFigures } from './figures.js';

/** A lane with the engine that it is in, by the engine's place in what was asked. */
export interface LaneRow extends LaneFigures {
  engine: number;
}

/** By which a table of lanes can be sorted: numbers that count from the most, places from the first. Null comes last. */
export const LANE_COLUMNS = {
  partition: { from: 'first', value: ({ partition }) => partition },
  worker: { from: 'first', value: ({ engine, worker }) => engine * 10_000 + worker },
  offset: { from: 'most', value: ({ offset }) => offset },
  rate: { from: 'most', value: ({ eventsPerSecond }) => eventsPerSecond },
  lag: { from: 'most', value: ({ lag }) => lag },
  watermark: { from: 'most', value: ({ watermarkLagSeconds }) => watermarkLagSeconds },
  ring: { from: 'most', value: ({ ringFill }) => ringFill },
  sessions: { from: 'most', value: ({ openSessions }) => openSessions },
} as const satisfies Record<string, { from: 'first' | 'most'; value(lane: LaneRow): number | null }>;
export type LaneColumn = keyof typeof LANE_COLUMNS;

/** Throws HeadraceError USAGE. */
export function laneColumn(text: string): LaneColumn {
  if (Object.hasOwn(LANE_COLUMNS, text)) return text as LaneColumn;
  const names = Object.keys(LANE_COLUMNS);
  const near = suggest(text, names);
  throw new HeadraceError('USAGE', `--sort: the table of lanes has no column ${JSON.stringify(text)}`, {
    remedy: near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

/** Of several engines all lanes; those that are alike in the order of their partitions. */
export function lanesBy(column: LaneColumn, engines: readonly Pick<EngineFigures, 'lanes'>[]): LaneRow[] {
  const { from, value } = LANE_COLUMNS[column];
  const sign = from === 'first' ? 1 : -1;
  const compare = (a: LaneRow, b: LaneRow): number => {
    const [left, right] = [value(a), value(b)];
    if (left === right) return a.partition - b.partition || a.engine - b.engine;
    if (left === null) return 1;
    if (right === null) return -1;
    return sign * (left - right);
  };
  return engines.flatMap(({ lanes }, engine) => lanes.map((lane) => ({ ...lane, engine }))).sort(compare);
}
