import { type Complain, type FieldsByName, findField, NUMBER_TYPES } from './fields.js';
import type { ConditionFile, TestFile } from './schema.js';
import type { Condition, Field } from './types.js';

/** Conditions of a model file → what is asked of an event; types.ts has their meaning. */

/** Deeper ones are nobody's, and would end the stack of whoever follows them. */
const DEPTH_MAX = 8;
/** In one model: each is asked of each event of a row. */
export const TESTS_MAX = 1_000;

export function compileCondition(
  file: ConditionFile,
  path: string,
  fields: FieldsByName,
  complain: Complain,
  depth = 0,
): Condition | null {
  if (depth > DEPTH_MAX) {
    complain(path, `is nested more than ${DEPTH_MAX} deep`);
    return null;
  }
  if (Array.isArray(file)) return compileList('all', file, path, fields, complain, depth);
  const { any, ...test } = file;
  const tests = compileTests(test, path, fields, complain, any !== undefined);
  const anyOf =
    any === undefined ? undefined : compileList('any', any, `${path}.any`, fields, complain, depth);
  if (tests === null || anyOf === null) return null;
  return allOf(anyOf === undefined ? tests : [...tests, anyOf]);
}

function compileList(
  kind: 'all' | 'any',
  files: readonly ConditionFile[],
  path: string,
  fields: FieldsByName,
  complain: Complain,
  depth: number,
): Condition | null {
  const compiled = files.map((file, index) =>
    compileCondition(file, `${path}.${index}`, fields, complain, depth + 1),
  );
  const conditions = compiled.filter((condition) => condition !== null);
  if (conditions.length < compiled.length) return null;
  if (kind === 'all') return allOf(conditions);
  return conditions.length === 1 ? conditions[0]! : { any: conditions };
}

/** One alone is written as itself, so that a model says the same however it is put. */
export function allOf(conditions: readonly Condition[]): Condition {
  return conditions.length === 1 ? conditions[0]! : { all: conditions };
}

const TEXTS: readonly Field['type'][] = ['string'];
const TRUTHS: readonly Field['type'][] = ['boolean'];
/** Every event has its time, so there is nothing to ask of it. */
const ASKABLE: readonly Field['type'][] = ['string', 'number', 'boolean', 'int32', 'uint32'];

function compileTests(
  test: Omit<TestFile, 'any'>,
  path: string,
  fields: FieldsByName,
  complain: Complain,
  mayBeEmpty: boolean,
): Condition[] | null {
  const { field: name, in: oneOf, not_in: noneOf, present, is, min, max } = test;
  const asked = [oneOf, noneOf, present, is, min, max].some((each) => each !== undefined);
  if (name === undefined) {
    if (mayBeEmpty && !asked) return [];
    complain(`${path}.field`, 'is missing');
    return null;
  }
  if (!asked) {
    complain(path, 'asks nothing of the field: add in, not_in, present, is, min or max');
    return null;
  }
  const place = `${path}.field`;
  const find = (types: readonly Field['type'][]) => findField(fields, name, place, types, complain);
  const tests: (Condition | null)[] = [];
  const add = (types: readonly Field['type'][], make: (field: number) => Condition) => {
    const field = find(types);
    tests.push(field === null ? null : make(field.index));
  };
  if (oneOf !== undefined) add(TEXTS, (field) => ({ field, oneOf: sortedOnce(oneOf) }));
  if (noneOf !== undefined) add(TEXTS, (field) => ({ field, noneOf: sortedOnce(noneOf) }));
  if (present !== undefined) add(ASKABLE, (field) => ({ field, present }));
  if (is !== undefined) add(TRUTHS, (field) => ({ field, is }));
  if (min !== undefined || max !== undefined) {
    add(NUMBER_TYPES, (field) => ({ field, least: min ?? null, most: max ?? null }));
    if (min !== undefined && max !== undefined && min > max) complain(`${path}.min`, 'is above max');
  }
  const compiled = tests.filter((each) => each !== null);
  return compiled.length < tests.length ? null : compiled;
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** The fields that a condition asks of. */
export function fieldsOfCondition(condition: Condition | null): number[] {
  if (condition === null) return [];
  if ('all' in condition) return condition.all.flatMap(fieldsOfCondition);
  if ('any' in condition) return condition.any.flatMap(fieldsOfCondition);
  return [condition.field];
}
