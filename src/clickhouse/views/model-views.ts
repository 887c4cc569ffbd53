import type { Column, CompiledModel } from '../../model/types.js';
import { quoteName, quoteText } from '../sql.js';
import type { AnalyticView, ViewExact, ViewKey, ViewRatio, ViewSum } from './analytic-view.js';
import { pageView } from './page-view.js';

/**
 * Which analytic views a model has: those whose columns it carries. The shipped ones by name, in any model of one's own by the same
 * names. Pure.
 *
 *   web_clicks    brand, device, geographic, subscription, page, hour, session_summary
 *   clickstream   device, geographic, referrer, page, funnel, hour, session_summary
 */

/** What a view is by: the first column of each group that the model has; a model without one of the first group has no such view. */
const BY_COLUMNS: readonly { name: string; about: string; by: readonly (readonly string[])[] }[] = [
  { name: 'brand_analytics', about: 'by brand', by: [['brand']] },
  {
    name: 'device_analytics',
    about: 'by device, operating system and browser',
    by: [['device_type'], ['device_os', 'os'], ['browser']],
  },
  { name: 'geographic_analytics', about: 'by country and city', by: [['country'], ['city']] },
  {
    name: 'subscription_analytics',
    about: 'by subscription and segment',
    by: [['subscription_tier'], ['user_segment']],
  },
];
/** What somebody passes through on the way to a purchase, in this order; both of the last must be there. */
const FUNNEL = ['page_views', 'searches', 'clicks', 'add_to_carts', 'purchases'] as const;
const FUNNEL_NEEDS = ['add_to_carts', 'purchases'];

/** All that the model's columns carry; none for a model without events and durations to add up. */
export function viewsOf(model: CompiledModel): AnalyticView[] {
  if (!['total_events', 'session_duration_sec'].every((name) => isWhole(columnOf(model, name)))) return [];
  const views = BY_COLUMNS.flatMap(({ name, about, by }) => {
    const found = by.map((names) => names.map((each) => columnOf(model, each)).find(isText));
    const keys = found.flatMap((column) => (column === undefined ? [] : textKey(column)));
    return found[0] === undefined ? [] : [view(model, name, `sessions a day ${about}`, keys)];
  });
  const page = pageView(model);
  return [
    ...views,
    ...referrerView(model),
    ...(page === null ? [] : [page]),
    ...funnelView(model),
    view(model, 'hour_analytics', 'sessions by the hour (UTC) in which they start', [
      { name: 'hour', type: 'UInt8', expression: "toHour(session_start, 'UTC')" },
    ]),
    view(model, 'session_summary', 'all sessions of a day', []),
  ];
}

function view(
  model: CompiledModel,
  name: string,
  about: string,
  keys: readonly ViewKey[],
  sums: readonly ViewSum[] = sessionSums(model),
  ratios: readonly ViewRatio[] = SESSION_RATIOS,
): AnalyticView {
  return { name, about, keys, sums, unfold: null, exact: exactOf(model), ratios };
}

/** By the host that sent somebody, since addresses are too many; what is no address stays as it is. */
function referrerView(model: CompiledModel): AnalyticView[] {
  const column = columnOf(model, 'referrer');
  if (!isText(column)) return [];
  const text = `ifNull(${quoteName(column.name)}, '')`;
  const host = `if(domainWithoutWWW(${text}) = '', ${text}, domainWithoutWWW(${text}))`;
  return [
    view(model, 'referrer_analytics', 'sessions a day by the host they came from', [
      { name: 'referrer', type: 'LowCardinality(String)', expression: host },
    ]),
  ];
}

/** In how many sessions each step was taken at all: Σ sign over sessions for which that holds, so a revision moves it. */
function funnelView(model: CompiledModel): AnalyticView[] {
  const steps = FUNNEL.filter((name) => isWhole(columnOf(model, name)));
  if (!FUNNEL_NEEDS.every((name) => steps.some((step) => step === name))) return [];
  const device = columnOf(model, 'device_type');
  const sums = steps.map((name) => ({ name: `with_${name}`, expression: `${quoteName(name)} > 0` }));
  const bought = 'if(with_add_to_carts = 0, NULL, round(with_purchases / with_add_to_carts, 4))';
  return [
    {
      ...view(model, 'funnel_analytics', 'sessions a day with each step towards a purchase', [
        ...(isText(device) ? [textKey(device)] : []),
      ]),
      sums: [SESSIONS, ...sums],
      exact: [],
      ratios: [
        { name: 'cart_share', expression: 'round(with_add_to_carts / sessions, 4)' },
        { name: 'purchase_share', expression: 'round(with_purchases / sessions, 4)' },
        { name: 'purchases_of_carts', expression: bought },
      ],
    },
  ];
}

const SESSIONS: ViewSum = { name: 'sessions', expression: null };

/** Sessions, and the sums of all whole-number columns that count something. */
function sessionSums(model: CompiledModel): ViewSum[] {
  const own = new Set(['sessions', 'events', 'duration_sec', 'bounces', 'date', 'hour', 'sign']);
  const counts = model.columns.filter(
    (column) => isWhole(column) && /^count(_if|_values)$/.test(column.op.op) && !own.has(column.name),
  );
  return [
    SESSIONS,
    { name: 'events', expression: 'total_events' },
    { name: 'duration_sec', expression: 'session_duration_sec' },
    { name: 'bounces', expression: 'total_events = 1' },
    ...counts.map(({ name }) => ({ name, expression: quoteName(name) })),
  ];
}

const SESSION_RATIOS: readonly ViewRatio[] = [
  { name: 'events_per_session', expression: 'round(events / sessions, 2)' },
  { name: 'duration_sec_avg', expression: 'round(duration_sec / sessions, 1)' },
  { name: 'bounce_share', expression: 'round(bounces / sessions, 4)' },
];

/** Exact ones, which come out the same whatever the order of rows: `audit` compares them. */
function exactOf(model: CompiledModel): ViewExact[] {
  const user = columnOf(model, 'user_id') ?? model.columns.find(({ op }) => op.op === 'key');
  const duration = 'toUInt64(session_duration_sec)';
  return [
    ...(user === undefined || user.type === 'list<string>'
      ? []
      : [{ name: 'users', type: 'UInt64', aggregate: `uniqExact(${quoteName(user.name)})` }]),
    { name: 'duration_sec_min', type: 'UInt64', aggregate: `min(${duration})` },
    { name: 'duration_sec_p50', type: 'UInt64', aggregate: `quantileExactLow(0.5)(${duration})` },
    { name: 'duration_sec_p95', type: 'UInt64', aggregate: `quantileExactLow(0.95)(${duration})` },
    { name: 'duration_sec_max', type: 'UInt64', aggregate: `max(${duration})` },
  ];
}

/** A missing value is an empty text here: keys can't be null. */
function textKey({ name, lowCardinality }: Column): ViewKey {
  const type = lowCardinality ? 'LowCardinality(String)' : 'String';
  return { name, type, expression: `ifNull(${quoteName(name)}, ${quoteText('')})` };
}

function columnOf(model: CompiledModel, name: string): Column | undefined {
  return model.columns.find((column) => column.name === name);
}

function isText(column: Column | undefined): column is Column {
  return column?.type === 'string';
}

/** A whole number that is always there. */
function isWhole(column: Column | undefined): boolean {
  return column !== undefined && /^u?int/.test(column.type) && !column.nullable;
}
