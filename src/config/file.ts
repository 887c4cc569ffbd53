import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit, type YAMLError } from 'yaml';
import type { Problem } from './problems.js';

/**
 * YAML text → plain values and the line of each. No message repeats text of the file: a password without quotes may
 * begin with any of the characters that YAML stumbles over.
 */

export interface ConfigText {
  /** Plain maps, lists and scalars; an empty setting (`rack:`) is undefined, the same as absent. */
  root: Record<string, unknown>;
  /** The line that a path, or as much of it as exists, is on. */
  lineOf(path: string): number | undefined;
  problems: Problem[];
}

/** A configuration has a few dozen lines; more is another file, given by mistake. */
export const FILE_BYTES_MAX = 1 << 20;

export function parseConfigText(text: string): ConfigText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const at = (offset: number) => lines.linePos(offset).line;
  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    path: '',
    line: at(error.pos[0]),
    message: explain(error),
  }));
  visit(document, {
    Alias: (_, node) => {
      problems.push({
        path: '',
        line: at(node.range?.[0] ?? 0),
        message: 'aliases are not used here; put a value that begins with * in quotes',
      });
    },
  });
  const lineOf = (path: string) => {
    const offset = offsetOf(document.contents, path);
    return offset === undefined ? undefined : at(offset);
  };
  if (problems.length > 0) return { root: {}, lineOf, problems: firstOfEachLine(problems) };

  const value = withoutNulls(document.toJS());
  if (value === undefined) return { root: {}, lineOf, problems };
  if (typeof value !== 'object' || Array.isArray(value)) {
    return { root: {}, lineOf, problems: [{ path: '', line: 1, message: 'must be a map of settings' }] };
  }
  return { root: value as Record<string, unknown>, lineOf, problems };
}

/** What follows on the same line is mostly a consequence. */
function firstOfEachLine(problems: readonly Problem[]): Problem[] {
  const lines = new Map<number | undefined, Problem>();
  for (const problem of problems) if (!lines.has(problem.line)) lines.set(problem.line, problem);
  return [...lines.values()];
}

/** YAML's own messages where they are plain and quote nothing. */
function explain(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'the same setting is there twice';
    case 'TAB_AS_INDENT':
      return 'indented with a tab: YAML wants spaces';
    case 'MULTIPLE_DOCS':
      return 'more than one YAML document; an engine has one';
    case 'TAG_RESOLVE_FAILED':
      return 'YAML tags are not used here; put a value that begins with ! in quotes';
    case 'BAD_SCALAR_START':
      return 'a value that begins with @, ` or % must be in quotes';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'not valid YAML: put a value that holds a colon in quotes, and look at the indentation';
    case 'MISSING_CHAR':
      return 'not valid YAML: a quote, a bracket or a colon is missing here or above';
    case 'BAD_DQ_ESCAPE':
      return 'not a valid escape in "…"; use single quotes to have backslashes as they are';
    case 'BAD_INDENT':
      return 'not valid YAML: look at the indentation and the brackets here and above';
    default:
      return `not valid YAML (${error.code})`;
  }
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => (item === null ? '' : withoutNulls(item)));
  if (typeof value !== 'object') return value;
  // without a prototype, so that a key __proto__ is a key like others
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) map[key] = withoutNulls(item);
  return map;
}

/** Follows a dotted path; keys may hold dots themselves (librdkafka's properties do). */
function offsetOf(root: unknown, path: string): number | undefined {
  let node = root;
  let rest = path;
  let offset: number | undefined;
  while (rest !== '') {
    const [part = ''] = rest.split('.', 1);
    if (isMap(node)) {
      const named = (name: string) => (pair: { key: unknown }) =>
        isScalar(pair.key) && String(pair.key.value) === name;
      const whole = node.items.find(named(rest));
      const pair = whole ?? node.items.find(named(part));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
      if (whole !== undefined) return offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
    rest = rest.slice(part.length + 1);
  }
  return offset;
}
