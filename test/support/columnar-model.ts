import type { Column, ColumnOp, ColumnType, CompiledModel, Row } from '#src/model/types.js';
import type { Random } from '#src/random.js';

/**
 * Hand-made models for tests of columns and lake, so that they do not depend on the YAML compiler: one like
 * `clickstream` in width and types, one with every type both nullable and not.
 */

export type ColumnSpec = [
  name: string,
  type: ColumnType,
  nullable?: boolean,
  lowCardinality?: boolean,
  op?: ColumnOp,
];

export function modelOf(name: string, specs: readonly ColumnSpec[]): CompiledModel {
  const columns: Column[] = specs.map(([column, type, nullable, lowCardinality, op], index) => ({
    index,
    name: column,
    type,
    nullable: nullable ?? false,
    lowCardinality: lowCardinality ?? false,
    op: op ?? { op: 'first', field: 0, where: null },
  }));
  const at = (column: string) => columns.findIndex((c) => c.name === column);
  return {
    name,
    hash: 'test',
    fields: [],
    keyField: 0,
    keyParts: [0],
    maskSalt: null,
    deduplicateField: null,
    timeField: 0,
    timeFormat: 'iso8601',
    valueFormat: 'json',
    gapMs: 1,
    gapField: null,
    allowedDisorderMs: 1,
    allowedLatenessMs: 1,
    maxFutureMs: 1,
    idleTimeoutMs: 1,
    filter: null,
    endEvent: null,
    windows: { maxDurationMs: 86_400_000, startEvent: null, endCounted: false, midnight: null, onChange: [] },
    emitEarlyMs: null,
    columns,
    columnIndex: {
      session_start: at('session_start'),
      sign: at('sign'),
      revision: at('revision'),
      closed_by: at('closed_by'),
      created_at: at('created_at'),
      batch_id: at('batch_id'),
      file_id: at('file_id'),
    },
    collectionBytesMax: 2 ** 24,
    partitionColumn: 'session_date',
  };
}

const SEALED: ColumnSpec[] = [
  ['created_at', 'time', false, false, { op: 'created_at' }],
  ['batch_id', 'uint64', false, false, { op: 'batch_id' }],
  ['file_id', 'uint64', false, false, { op: 'file_id' }],
  ['closed_by', 'string', false, true],
  ['revision', 'uint32'],
  ['sign', 'int8', false, false, { op: 'sign' }],
];

/** 34 columns with the names and types of the shipped `clickstream`. */
export const clickstreamLike = modelOf('clickstream', [
  ['session_id', 'string'],
  ['user_id', 'string'],
  ['session_start', 'time'],
  ['session_end', 'time'],
  ['session_duration_sec', 'uint32'],
  ['total_events', 'uint32'],
  ['page_views', 'uint32'],
  ['clicks', 'uint32'],
  ['add_to_carts', 'uint32'],
  ['purchases', 'uint32'],
  ['searches', 'uint32'],
  ['entry_page', 'string', true],
  ['exit_page', 'string', true],
  ['unique_pages', 'uint32'],
  ['pages', 'list<string>'],
  ['referrer', 'string', true],
  ['user_agent', 'string', true],
  ['ip_address', 'string', true],
  ['country', 'string', true, true],
  ['city', 'string', true, true],
  ['latitude', 'float', true],
  ['longitude', 'float', true],
  ['device_type', 'string', true, true],
  ['os', 'string', true, true],
  ['browser', 'string', true, true],
  ['source_session_ids', 'uint32'],
  ['product_ids', 'list<string>'],
  ['categories', 'list<string>'],
  ...SEALED,
]);

/** Every type, with and without nulls. */
export const everyType = modelOf('every_type', [
  ['session_id', 'string'],
  ['session_start', 'time'],
  ['i8', 'int8', true],
  ['u16', 'uint16', true],
  ['u32', 'uint32', true],
  ['u64', 'uint64', true],
  ['f64', 'float', true],
  ['t', 'time', true],
  ['s', 'string', true],
  ['low', 'string', true, true],
  ['list', 'list<string>'],
  ['i16', 'int16', true],
  ['i32', 'int32', true],
  ['i64', 'int64', true],
  ['u8', 'uint8', true],
  ['truth', 'bool', true],
  ['certain', 'bool'],
  ...SEALED,
]);

/** A plausible row of `clickstreamLike`, session_start on 2026-01-01. */
export function clickstreamRow(random: Random, serial: number): Row {
  const pick = (...values: string[]) => values[random.below(values.length)]!;
  const start = 1_767_225_600_000 + random.below(86_000_000);
  const pages = Array.from({ length: 1 + random.below(12) }, () => `/shop/item-${random.below(500)}`);
  const user = `user_${serial}`;
  return [
    `${user}:${start}`,
    user,
    start,
    start + 60_000,
    60,
    pages.length,
    3,
    2,
    1,
    0,
    1,
    pages[0]!,
    pages.at(-1)!,
    new Set(pages).size,
    pages,
    pick('https://google.com/', 'https://news.example/', ''),
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.${random.below(40)}`,
    `10.${random.below(256)}.${random.below(256)}.1`,
    pick('DE', 'FR', 'US', 'JP', 'BR'),
    pick('Berlin', 'Paris', 'Austin', 'São Paulo', '東京'),
    random.float() * 180 - 90,
    random.float() * 360 - 180,
    pick('mobile', 'desktop', 'tablet'),
    pick('iOS', 'Android', 'Linux'),
    pick('Firefox', 'Chrome', 'Safari'),
    1,
    random.below(2) === 0 ? [] : [`p${random.below(1000)}`, `p${random.below(1000)}`],
    [pick('shoes', 'books', 'toys')],
    0,
    0n,
    0n,
    'gap',
    0,
    1,
  ];
}
