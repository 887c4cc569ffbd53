import type { CompiledModel } from '#src/model/types.js';
import type { NaiveEvent, NaiveRules } from './naive-lane.js';
import { type TinyEvent, tinyModel } from './reference-lane.js';

/** Models that differ in what begins and ends their sessions, with the same rules as the definitions know them. */

export const GAP = 10;
export const DISORDER = 15;
export const LATENESS = 12;
/** The longest that an event may hold its session open, where each says it. */
const GAP_MAX = 25;
/** In UTC, in the middle of what is tried; seconds, as all times here. */
const MIDNIGHT = 86_400;
export const FROM = MIDNIGHT - 60;
export const TO = MIDNIGHT + 60;

export interface WindowModel {
  model: CompiledModel;
  rules: NaiveRules;
  naive(event: TinyEvent, offset: number): NaiveEvent;
}

interface Options {
  max: number;
  midnight: boolean;
  counted: boolean;
  starts: boolean;
  changes: boolean;
  /** Events say by their price how long they hold their session open. */
  holds: boolean;
}

function windowsOf({ max, midnight, counted, starts, changes, holds }: Options): WindowModel {
  const split = [...(midnight ? ['midnight: UTC'] : []), ...(changes ? ['on_change: [page]'] : [])];
  const more = [
    `max_duration: ${max}s`,
    ...(starts ? ['start_event: { field: type, in: [buy] }'] : []),
    ...(split.length > 0 ? [`split: { ${split.join(', ')} }`] : []),
  ];
  const model = tinyModel({
    gap: holds ? `{ field: price, unit: s, default: ${GAP}s, max: ${GAP_MAX}s }` : `${GAP}s`,
    disorder: `${DISORDER}s`,
    lateness: `${LATENESS}s`,
    endEvent: `{ field: type, in: [end, logout], counted: ${counted} }`,
    more: more.join('\n'),
  });
  const naive = (event: TinyEvent, offset: number): NaiveEvent => ({
    user: event.user,
    at: event.at,
    offset,
    end: event.type === 'end' || event.type === 'logout',
    start: starts && event.type === 'buy',
    tag: changes ? (event.page ?? null) : null,
    hold: holds && event.price !== undefined ? Math.min(GAP_MAX, event.price) : undefined,
  });
  return { model, rules: { gap: GAP, max, counted, midnights: midnight ? [MIDNIGHT] : [] }, naive };
}

/** Sessions end by gap and end event alone. */
export const PLAIN = windowsOf({
  max: 1_000,
  midnight: false,
  counted: false,
  starts: false,
  changes: false,
  holds: false,
});

const BOTH = [false, true];
export const WINDOW_MODELS: readonly WindowModel[] = [7, 23, 1_000].flatMap((max) =>
  BOTH.flatMap((midnight) =>
    BOTH.flatMap((counted) =>
      BOTH.flatMap((starts) =>
        BOTH.flatMap((changes) =>
          BOTH.map((holds) => windowsOf({ max, midnight, counted, starts, changes, holds })),
        ),
      ),
    ),
  ),
);
