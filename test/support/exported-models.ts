import { compileModel } from '#src/model/compile.js';
import type { CompiledModel } from '#src/model/types.js';

/** Models over the events of clickstream that use what the language has, for exports. */

const ENGINE = ['created_at', 'batch_id', 'file_id', 'closed_by', 'revision', 'sign', 'session_start'];
const FIELDS = {
  user_id: { type: 'string', required: true },
  timestamp: { type: 'time', required: true },
  event_type: { type: 'string', required: true },
  session_id: { type: 'string' },
  page_url: { type: 'string' },
  ip_address: { type: 'string', mask: 'truncate_ip' },
  'geo.country': { type: 'string' },
  'geo.latitude': { type: 'number' },
  'geo.longitude': { type: 'number' },
  'device.browser': { type: 'string' },
  hold: { type: 'number' },
};
const NORTH = [
  { field: 'geo.latitude', min: 0.5 },
  { field: 'event_type', not_in: ['click'] },
];
const KNOWN = {
  any: [
    { field: 'geo.country', in: ['DE', 'JP'] },
    { field: 'ip_address', present: false },
  ],
};

/** Sessions begin and end by all that there is. A JSON text is YAML. */
export function windowsModel(rules: object): CompiledModel {
  const file = {
    name: 'windows',
    key: 'user_id',
    time: { field: 'timestamp', format: 'iso8601' },
    fields: FIELDS,
    filter: { field: 'event_type', not_in: ['Page_View'] },
    ...rules,
    columns: {
      session_id: { op: 'session_id', template: '{start_ms}/{key}' },
      user_id: '$key',
      session_end: '$session_end',
      seconds: { op: 'duration_sec', type: 'uint16' },
      events: '$count',
      north: { op: 'count_if', where: NORTH },
      known: { op: 'count_if', ...KNOWN },
      network: { op: 'first', field: 'ip_address' },
      entry: { op: 'first', field: 'page_url', where: KNOWN },
      exit: { op: 'last', field: 'page_url', where: NORTH },
      least: { op: 'min', field: 'geo.latitude' },
      least_small: { op: 'min', field: 'geo.latitude', type: 'int8' },
      most: { op: 'max', field: 'geo.longitude', where: NORTH },
      last_known_at: { op: 'max', field: 'timestamp', where: KNOWN },
      sum: { op: 'sum', field: 'geo.longitude' },
      sum_small: { op: 'sum', field: 'geo.longitude', type: 'uint8' },
      mean: { op: 'avg', field: 'geo.latitude', where: NORTH },
      southernmost: { op: 'argmin', field: 'page_url', by: 'geo.latitude' },
      northernmost: { op: 'argmax', field: 'geo.country', by: 'geo.latitude', where: KNOWN },
      pages: { op: 'list', field: 'page_url', limit: 4, where: KNOWN },
      more_pages: { op: 'overflow', of: 'pages' },
      countries: { op: 'set', field: 'geo.country', limit: 2, where: NORTH },
      more_countries: { op: 'overflow', of: 'countries' },
      different: { op: 'count_distinct', field: 'page_url', where: KNOWN },
      visits: { op: 'records', of: { t: 'timestamp', type: 'event_type' }, where: NORTH, limit: 5 },
      more_visits: { op: 'overflow', of: 'visits' },
      source: { op: 'constant', value: "o'clock" },
      weight: { op: 'constant', value: -1.5 },
      route: { op: 'concat', of: ['entry', 'events', 'exit'], separator: ' → ' },
      pace: { op: 'calculate', formula: 'events / (seconds / 60)' },
      engaged: { op: 'calculate', formula: 'seconds >= 10 and (events > 2 or not known = 0)' },
      bounce: { op: 'calculate', formula: 'not engaged' },
      score: {
        op: 'calculate',
        formula: 'round(min(least, most, 10) * abs(weight)) + max(events, floor(pace))',
        type: 'int16',
      },
      partition: '$partition',
      first_offset: '$first_offset',
      last_offset: '$last_offset',
      ...Object.fromEntries(ENGINE.map((op) => [op, { op }])),
    },
  };
  return compileModel(JSON.stringify(file), 'windows.yaml');
}

/** Each event says for how long it holds its session open, some of them nothing. */
export const HOLDS = { gap: { field: 'hold', unit: 's', default: '20m', max: '50m' } };

/** What cuts sessions by what lies beside one another. */
export const NEIGHBOURS = {
  gap: '20m',
  start_event: { field: 'event_type', in: ['search'] },
  end_event: { field: 'event_type', in: ['purchase'], counted: true },
  // half past six in the evening, UTC
  split: { midnight: 'Asia/Kolkata', on_change: ['device.browser'] },
};

/** A key of two fields, one of which holds what separates them. */
export function keysModel(): CompiledModel {
  const columns = {
    session_id: { op: 'session_id', template: '{key}:{start_ms}' },
    key: '$key',
    events: '$count',
    ...Object.fromEntries(ENGINE.map((op) => [op, { op }])),
  };
  const time = { field: 'timestamp', format: 'iso8601' };
  const file = { name: 'keys', key: ['user_id', 'event_type'], time, fields: FIELDS, columns };
  // nothing reads the other fields: the model is about its key
  return compileModel(JSON.stringify(file), 'keys.yaml');
}
