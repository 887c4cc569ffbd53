import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { DeltaSchema } from '../../columnar/schema.js';
import { HeadraceError, type Where } from '../../errors.js';

/** Reading a table's schema and comparing it with ours. Types are compared as they stand, nested ones whole. */

const TABLE_SCHEMA = z.object({
  type: z.literal('struct'),
  fields: z.array(
    z.object({
      name: z.string(),
      type: z.union([z.string(), z.looseObject({ type: z.string() })]),
      nullable: z.boolean(),
      metadata: z
        .record(z.string(), z.unknown())
        .nullish()
        .transform((value) => value ?? {}),
    }),
  ),
});

export type TableSchema = z.infer<typeof TABLE_SCHEMA>;

/** @throws HeadraceError LAKE_LOG_CORRUPT */
export function parseSchema(schemaString: string, where: Where): TableSchema {
  let json: unknown;
  try {
    json = JSON.parse(schemaString);
  } catch (cause) {
    throw new HeadraceError('LAKE_LOG_CORRUPT', "the table's schema is not JSON", { where, cause });
  }
  const checked = TABLE_SCHEMA.safeParse(json);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  throw new HeadraceError(
    'LAKE_LOG_CORRUPT',
    `the table's schema is malformed: ${issue.path.join('.')}: ${issue.message}`,
    { where },
  );
}

/** Columns of ours that the table has not. */
export function lackingColumns(table: TableSchema, ours: DeltaSchema): string[] {
  const theirs = new Set(table.fields.map(({ name }) => name));
  return ours.fields.map(({ name }) => name).filter((name) => !theirs.has(name));
}

/** What differs, in words, beside columns that the table lacks; empty when a row of ours fits the others as they are. */
export function schemaDifferences(table: TableSchema, ours: DeltaSchema): string[] {
  const differences: string[] = [];
  const theirs = new Map(table.fields.map((field) => [field.name, field]));
  for (const field of ours.fields) {
    const there = theirs.get(field.name);
    if (there === undefined) continue;
    if (!isDeepStrictEqual(there.type, field.type)) {
      differences.push(
        `column ${field.name} is ${typeText(there.type)} in the table, ${typeText(field.type)} here`,
      );
    } else if (field.nullable && !there.nullable) {
      differences.push(`column ${field.name} may not be null in the table`);
    }
  }
  const own = new Set(ours.fields.map((field) => field.name));
  for (const field of table.fields) {
    const rule = RULES.find((name) => name in field.metadata);
    if (rule !== undefined) differences.push(`column ${field.name} has ${rule}, which headrace can't hold`);
    if (!own.has(field.name)) differences.push(`the table has a column ${field.name} that the model has not`);
  }
  return differences;
}

/** What a writer of the table has to see to, and can't by this protocol version or not here. */
const RULES = ['delta.invariants', 'delta.generationExpression', 'delta.identity.start'];

export function typeText(type: unknown): string {
  return typeof type === 'string' ? type : JSON.stringify(type);
}
