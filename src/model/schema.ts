import { z } from 'zod';
import { suggest } from '../config/suggest.js';
import { parseDurationMs } from '../config/units.js';

/**
 * The language of a model file, as a schema. Only what has an effect is a key here: a word that does nothing would be
 * believed. What the words mean together (a column's field exists, types fit) is checked in compile.ts.
 */

const DURATION_MS_MAX = 366 * 86_400_000;

function duration(defaultText: string, options: { minMs: number }) {
  return givenDuration(options, defaultText);
}

/** Without a default it has to be there. */
function givenDuration({ minMs }: { minMs: number }, defaultText?: string) {
  const text = z.union([z.string(), z.number()], { error: 'must be a duration such as 30m, 10s or 500ms' });
  return (defaultText === undefined ? text : text.default(defaultText)).transform((given, context) => {
    const parsed = parseDurationMs(given);
    const problem = parsed.ok ? outOfRange(parsed.value, minMs) : parsed.message;
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return parsed.ok ? parsed.value : 0;
  });
}

function outOfRange(ms: number, minMs: number): string | null {
  if (ms < minMs) return `must be at least ${minMs}ms`;
  return ms > DURATION_MS_MAX ? 'must be at most 366d' : null;
}

/** Keys from the top of an event to a value, joined by dots: `geo.country`. */
const fieldPath = z.string().regex(/^[^.]{1,128}(\.[^.]{1,128}){0,7}$/, {
  error: 'must be the name of a field of the event, with dots where it is nested: geo.country',
});

/** What ClickHouse, Delta, SQL and Arrow all take without quoting. */
const columnName = z.string().regex(/^[a-z][a-z0-9_]{0,127}$/, {
  error: 'is no column name: lower-case letters, digits and _, beginning with a letter',
});

const fieldSchema = z.strictObject({
  type: z.enum(['string', 'number', 'boolean', 'int32', 'uint32', 'time']),
  required: z.boolean().default(false),
  mask: z.enum(['truncate_ip', 'hash']).optional(),
});

const texts = z
  .array(z.string().min(1).max(1_024), { error: 'must be a list, such as [page_view]' })
  .min(1)
  .max(1_000);
const finite = z.number({ error: 'must be a number' });

/** What is asked of one field; several of these: all of them. */
const testShape = {
  field: fieldPath.optional(),
  in: texts.optional(),
  not_in: texts.optional(),
  present: z.boolean({ error: 'must be true or false' }).optional(),
  is: z.boolean({ error: 'must be true or false' }).optional(),
  min: finite.optional(),
  max: finite.optional(),
};

export interface TestFile {
  field?: string | undefined;
  in?: string[] | undefined;
  not_in?: string[] | undefined;
  present?: boolean | undefined;
  is?: boolean | undefined;
  min?: number | undefined;
  max?: number | undefined;
  any?: ConditionFile[] | undefined;
}
/** A list: all of them. */
export type ConditionFile = TestFile | ConditionFile[];

const conditionList = z.lazy(() => z.array(conditionSchema).min(1).max(100));
const conditionShape = { ...testShape, any: conditionList.optional() };
const conditionSchema: z.ZodType<ConditionFile> = z.lazy(() =>
  z.union([z.strictObject(conditionShape), conditionList]),
);

const numberTypes = [
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float',
] as const;
const numberType = z.enum(numberTypes);
const countType = numberType.default('uint32');
const lowCardinality = z.boolean().default(false);
const limit = z.int().min(1).max(100_000);
const asJson = z.literal('json', { error: 'must be json; leave it out for a list of texts' }).optional();
const where = conditionSchema.optional();
/** Of a field's values, of these events only; a number in another type than its field's. */
const ofField = { field: fieldPath, where };
const asNumber = { type: numberType.optional() };

/** What JSON, and each path language over it, takes without quoting. Not a number: objects would put those first. */
const memberName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, {
  error: 'is no name of a member: letters, digits and _, beginning with a letter',
});
const MEMBERS_MAX = 32;
const members = z
  .record(memberName, fieldPath, { error: 'must be a map of names to fields, such as { url: page_url }' })
  .refine((of) => Object.keys(of).length > 0, { error: 'must name at least one field' })
  .refine((of) => Object.keys(of).length <= MEMBERS_MAX, {
    error: `must name at most ${MEMBERS_MAX} fields`,
  });

const columnSchemas = [
  z.strictObject({ op: z.literal('key'), low_cardinality: lowCardinality }),
  z.strictObject({
    op: z.literal('session_id'),
    template: z.string().min(1).max(256).default('{key}:{start_ms}'),
  }),
  z.strictObject({ op: z.literal('session_start') }),
  z.strictObject({ op: z.literal('session_end') }),
  z.strictObject({ op: z.literal('duration_sec'), type: countType }),
  z.strictObject({ op: z.literal('count'), type: countType }),
  z.strictObject({ op: z.literal('count_if'), ...conditionShape, where, type: countType }),
  z.strictObject({ op: z.literal('first'), ...ofField, ...asNumber, low_cardinality: lowCardinality }),
  z.strictObject({ op: z.literal('last'), ...ofField, ...asNumber, low_cardinality: lowCardinality }),
  z.strictObject({ op: z.literal('min'), ...ofField, ...asNumber }),
  z.strictObject({ op: z.literal('max'), ...ofField, ...asNumber }),
  z.strictObject({ op: z.literal('sum'), ...ofField, ...asNumber }),
  z.strictObject({ op: z.literal('avg'), ...ofField, ...asNumber }),
  z.strictObject({
    op: z.literal('argmin'),
    ...ofField,
    by: fieldPath,
    ...asNumber,
    low_cardinality: lowCardinality,
  }),
  z.strictObject({
    op: z.literal('argmax'),
    ...ofField,
    by: fieldPath,
    ...asNumber,
    low_cardinality: lowCardinality,
  }),
  z.strictObject({ op: z.literal('count_distinct'), ...ofField, type: countType }),
  z.strictObject({ op: z.literal('count_values'), ...ofField, type: countType }),
  z.strictObject({ op: z.literal('list'), ...ofField, limit, as: asJson, by: fieldPath.optional() }),
  z.strictObject({ op: z.literal('set'), ...ofField, limit, as: asJson }),
  z.strictObject({ op: z.literal('records'), of: members, present: fieldPath.optional(), where, limit }),
  z.strictObject({
    op: z.literal('constant'),
    value: z.union([z.string().max(1_024), finite, z.boolean()], {
      error: 'must be a text, a number, or true or false',
    }),
    ...asNumber,
    low_cardinality: lowCardinality,
  }),
  z.strictObject({
    op: z.literal('concat'),
    of: z.array(z.string()).min(1).max(64),
    separator: z.string().max(64).default(''),
    low_cardinality: lowCardinality,
  }),
  z.strictObject({
    op: z.literal('calculate'),
    formula: z.union([z.string().min(1).max(1_000), finite.transform(String)], {
      error: 'must be a formula, such as "clicks / total_events"',
    }),
    type: z.enum([...numberTypes, 'bool']).optional(),
  }),
  z.strictObject({ op: z.literal('overflow'), of: z.string(), type: countType }),
  z.strictObject({ op: z.literal('created_at') }),
  z.strictObject({ op: z.literal('batch_id') }),
  z.strictObject({ op: z.literal('file_id') }),
  z.strictObject({ op: z.literal('closed_by') }),
  z.strictObject({ op: z.literal('revision') }),
  z.strictObject({ op: z.literal('sign') }),
  z.strictObject({ op: z.literal('partition') }),
  z.strictObject({ op: z.literal('first_offset') }),
  z.strictObject({ op: z.literal('last_offset') }),
] as const;
const columnSchema = z.discriminatedUnion('op', columnSchemas);

/** It may say whether it belongs to the session that it ends. */
const endEvent = z.union([
  z.strictObject({ ...conditionShape, counted: z.boolean().default(false) }),
  conditionList,
]);

/** What cuts a session in two although its events lie close together. */
const splitSchema = z.strictObject({
  midnight: z.string().min(1).max(64).optional(),
  on_change: z.array(fieldPath).min(1).max(8).optional(),
});
const emitSchema = z.strictObject({ early: givenDuration({ minMs: 1_000 }) });

/** What `$name` stands for, where the operation is called otherwise. */
const BUILT_IN_OPS: ReadonlyMap<string, ColumnFile['op']> = new Map([
  ['cut_time', 'created_at'],
  ['batch', 'batch_id'],
  ['file', 'file_id'],
]);
/** Operations that need nothing beside them. */
const PLAIN_OPS = new Set<string>([
  ...(['key', 'session_id', 'session_start', 'session_end', 'duration_sec', 'count', 'closed_by'] as const),
  ...(['created_at', 'batch_id', 'file_id', 'revision', 'sign', 'partition'] as const),
  ...(['first_offset', 'last_offset'] as const),
]);

/** `created_at: $cut_time` is short for `created_at: { op: created_at }`. */
const shortColumn = z.string().transform((text, context): ColumnFile => {
  const name = text.startsWith('$') ? text.slice(1) : '';
  const op = BUILT_IN_OPS.get(name) ?? name;
  const column = PLAIN_OPS.has(op) ? columnSchema.safeParse({ op }) : undefined;
  if (column?.success) return column.data;
  const known = [...BUILT_IN_OPS.keys(), ...PLAIN_OPS].map((each) => `$${each}`);
  const near = suggest(text, known);
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
  context.addIssue({ code: 'custom', message: `is neither an operation nor a built-in value; ${hint}` });
  return z.NEVER;
});

/** Fixed, or said by each event: at most `max`, so that no event keeps a session, and what is known of it, for ever. */
const gapFieldSchema = z.strictObject({
  field: fieldPath,
  unit: z.enum(['s', 'ms'], { error: 'must be s or ms' }),
  default: duration('30m', { minMs: 1 }),
  max: givenDuration({ minMs: 1 }),
});
const gapSchema = z.union([gapFieldSchema, givenDuration({ minMs: 1 })]);

export const modelSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, {
    error: 'must be lower-case letters, digits and _, beginning with a letter',
  }),
  key: z.union([fieldPath, z.array(fieldPath).min(1).max(16)], {
    error: 'must be the name of a field, or a list of them',
  }),
  time: z.strictObject({ field: fieldPath, format: z.enum(['iso8601', 'epoch_ms', 'epoch_s']) }),
  value: z
    .enum(['json', 'json_schema_registry', 'msgpack'], {
      error: 'must be json, json_schema_registry or msgpack',
    })
    .default('json'),
  fields: z.record(fieldPath, fieldSchema),
  gap: gapSchema.prefault('30m'),
  max_duration: duration('24h', { minMs: 1 }),
  allowed_disorder: duration('10s', { minMs: 0 }),
  allowed_lateness: duration('5m', { minMs: 0 }),
  max_future: duration('1h', { minMs: 0 }),
  idle_timeout: duration('60s', { minMs: 1 }),
  mask_salt_file: z.string().min(1).max(4_096).optional(),
  deduplicate: fieldPath.optional(),
  filter: conditionSchema.optional(),
  start_event: conditionSchema.optional(),
  end_event: endEvent.optional(),
  split: splitSchema.optional(),
  emit: emitSchema.optional(),
  columns: z.record(
    columnName,
    z.union([shortColumn, columnSchema], { error: 'must be a map with op, or short for one: $batch' }),
  ),
});

export type ModelFile = z.infer<typeof modelSchema>;
export type ColumnFile = z.output<typeof columnSchema>;
/** A column of one operation. */
export type ColumnFileOf<Op extends ColumnFile['op']> = Extract<ColumnFile, { op: Op }>;

export const CONDITION_KEYS: readonly string[] = Object.keys(conditionShape);

export const COLUMN_OPS: readonly string[] = columnSchemas.map((schema) => schema.shape.op.value);

/** A parsed file, or what is wrong with its form. */
export function checkForm(
  root: unknown,
): { ok: true; file: ModelFile } | { ok: false; issues: readonly z.core.$ZodIssue[] } {
  const result = modelSchema.safeParse(root);
  return result.success ? { ok: true, file: result.data } : { ok: false, issues: result.error.issues };
}

/** The keys that are known at a place of the file; `op` is the column's, where the place is one. */
export function knownKeys(path: readonly PropertyKey[], op: unknown): readonly string[] {
  const [section, , inColumn] = path;
  if (path.length === 0) return Object.keys(modelSchema.shape);
  if (section === 'time') return Object.keys(modelSchema.shape.time.shape);
  if (section === 'end_event') return [...CONDITION_KEYS, 'counted'];
  if (section === 'start_event' || section === 'filter' || inColumn === 'where') return CONDITION_KEYS;
  if (section === 'gap') return Object.keys(gapFieldSchema.shape);
  if (section === 'split') return Object.keys(splitSchema.shape);
  if (section === 'emit') return Object.keys(emitSchema.shape);
  if (section === 'fields') return Object.keys(fieldSchema.shape);
  const column = columnSchemas.find((schema) => schema.shape.op.value === op);
  return column === undefined ? ['op'] : Object.keys(column.shape);
}
