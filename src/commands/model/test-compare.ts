import { suggest } from '../../config/suggest.js';
import { HeadraceError, messageOf } from '../../errors.js';
import type { CompiledModel } from '../../model/types.js';
import type { Found, FoundRow } from './test-events.js';

/** What a file says should come out: rows, each with the columns that matter, and dead letters. */
export interface Expected {
  rows: FoundRow[];
  deadLetters: { line: number; reason: string }[];
}

export interface Difference {
  /** Which session, or `line 7`. */
  what: string;
  column: string;
  /** As JSON; – where there is none. */
  expected: string;
  found: string;
}

const ABSENT = '–';

/** Throws HeadraceError CONFIG_INVALID with file and line. */
export function readExpected(model: CompiledModel, text: string, path: string): Expected {
  const expected: Expected = { rows: [], deadLetters: [] };
  const names = model.columns.map(({ name }) => name);
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const fail = (message: string) => new HeadraceError('CONFIG_INVALID', `${path}:${index + 1}: ${message}`);
    const parsed = objectOf(line, fail);
    const letter = parsed.$dead_letter as { line?: unknown; reason?: unknown } | undefined;
    if (letter !== undefined) {
      const { line: of, reason } = letter;
      if (typeof of !== 'number' || typeof reason !== 'string')
        throw fail('$dead_letter needs a line (a number) and a reason');
      expected.deadLetters.push({ line: of, reason });
      continue;
    }
    for (const name of Object.keys(parsed)) {
      if (names.includes(name)) continue;
      const near = suggest(name, names);
      throw fail(
        `${name} is no column of ${model.name}${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
    expected.rows.push(parsed);
  }
  return expected;
}

function objectOf(line: string, fail: (message: string) => HeadraceError): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw fail(messageOf(error));
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw fail('is no JSON object');
  return parsed as Record<string, unknown>;
}

/** Each expected row takes the first row found that has its session_id and session_start, as far as it names them. */
export function differences(expected: Expected, found: Found): Difference[] {
  const left = [...found.rows];
  const all: Difference[] = [];
  for (const row of expected.rows) {
    const at = left.findIndex((candidate) => isSame(row, candidate));
    if (at < 0)
      all.push({ what: sessionOf(row), column: 'the row', expected: JSON.stringify(row), found: ABSENT });
    else all.push(...columnDifferences(row, left.splice(at, 1)[0]!));
  }
  for (const row of left) {
    all.push({ what: sessionOf(row), column: 'the row', expected: ABSENT, found: JSON.stringify(row) });
  }
  return [...all, ...letterDifferences(expected, found)];
}

function isSame(expected: FoundRow, found: FoundRow): boolean {
  return (['session_id', 'session_start'] as const).every(
    (name) => expected[name] === undefined || expected[name] === found[name],
  );
}

function columnDifferences(expected: FoundRow, found: FoundRow): Difference[] {
  return Object.entries(expected)
    .map(([column, value]) => ({
      what: sessionOf(found),
      column,
      expected: JSON.stringify(value),
      found: JSON.stringify(found[column]) ?? ABSENT,
    }))
    .filter(({ expected: wanted, found: have }) => wanted !== have);
}

function letterDifferences(expected: Expected, found: Found): Difference[] {
  const wanted = new Map(expected.deadLetters.map(({ line, reason }) => [line, reason]));
  const have = new Map(found.deadLetters.map(({ line, reason }) => [line, reason as string]));
  return [...new Set([...wanted.keys(), ...have.keys()])]
    .sort((a, b) => a - b)
    .filter((line) => wanted.get(line) !== have.get(line))
    .map((line) => ({
      what: `line ${line}`,
      column: 'the dead letter',
      expected: wanted.get(line) ?? ABSENT,
      found: have.get(line) ?? ABSENT,
    }));
}

function sessionOf({ session_id: id, session_start: start }: FoundRow): string {
  return String(id ?? start ?? 'a session');
}
