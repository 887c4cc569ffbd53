import type { z } from 'zod';
import type { Problem } from '../config/problems.js';
import { suggest } from '../config/suggest.js';
import { HeadraceError } from '../errors.js';
import { COLUMN_OPS, knownKeys } from './schema.js';

/** What the schema found, in words that somebody who writes a model can act on. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], root: unknown): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    const meant = meantIssues(issue);
    if (meant !== null) return problemsOf(meant, root);
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(issue.path, valueAt(root, [...issue.path, 'op']));
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: unknownKey(key, known) }));
    }
    if (issue.code === 'invalid_union' && path.at(-1) === 'op') {
      return [{ path: path.join('.'), message: unknownOp(valueAt(root, issue.path)) }];
    }
    // a bad name of a column or field: the name is the path's end already
    const message =
      issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    const missing = valueAt(root, issue.path) === undefined && issue.code !== 'invalid_key';
    return [{ path: path.join('.'), message: missing ? 'is missing' : message }];
  });
}

/**
 * Where one of several forms is taken: what is wrong with the one that was meant, which is the first that the value is of the
 * kind of. Null: it is of none, or this is no such place.
 */
function meantIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] | null {
  if (issue.code !== 'invalid_union') return null;
  const meant = issue.errors.find((branch) =>
    branch.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  return meant?.map((each) => ({ ...each, path: [...issue.path, ...each.path] })) ?? null;
}

/** MODEL_INVALID with all that is wrong at once, by line. `where.path` is the place of the first problem. */
export function modelInvalid(fileName: string, found: readonly Problem[]): HeadraceError {
  const lineOf = ({ line }: Problem) => line ?? Number.MAX_SAFE_INTEGER;
  const problems = found.toSorted((a, b) => lineOf(a) - lineOf(b));
  const lines = problems.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => {
    const place = problem.line === undefined ? fileName : `${fileName}:${problem.line}`;
    return problem.path === ''
      ? `${place}: ${problem.message}`
      : `${place}: ${problem.path}: ${problem.message}`;
  });
  const hidden = problems.length - lines.length;
  if (hidden > 0) lines.push(`and ${hidden} more`);
  const message =
    lines.length === 1 ? lines[0]! : `${problems.length} problems in the model\n  ${lines.join('\n  ')}`;
  const path = problems[0]?.path;
  return new HeadraceError('MODEL_INVALID', message, { where: { path: path === '' ? undefined : path } });
}

const PROBLEMS_SHOWN_MAX = 20;

function unknownKey(key: string, known: readonly string[]): string {
  const near = suggest(key, known);
  return near === undefined
    ? `no such key. Keys here: ${known.join(', ')}`
    : `no such key; did you mean ${near}?`;
}

function unknownOp(op: unknown): string {
  if (op === undefined) return 'is missing';
  const near = typeof op === 'string' ? suggest(op, COLUMN_OPS) : undefined;
  return near === undefined
    ? `no such operation. There are: ${COLUMN_OPS.join(', ')}`
    : `no such operation; did you mean ${near}?`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
