/** A source file as the house rules see it. */
export interface SourceFile {
  /** Relative to the checkout, with `/`. */
  path: string;
  text: string;
}

export interface Finding {
  path: string;
  /** From 1. */
  line: number;
  /** What is wrong and what to write instead. */
  message: string;
}

export type Rule = (files: readonly SourceFile[]) => Finding[];

export interface Import {
  line: number;
  specifier: string;
  isTypeOnly: boolean;
  /** An import() is loaded when it is called, if ever. */
  isDynamic: boolean;
  /** Path in the checkout of what is imported, as a `.ts` or `.mjs` file; undefined for packages. */
  target: string | undefined;
}

export function isCode(path: string): boolean {
  return /\.(ts|mjs)$/.test(path);
}

/** Line of a position, from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/**
 * The code with comments and strings turned into spaces: same length, same lines. `keepStrings` keeps those in single
 * quotes, which the formatter gives to all but those that hold code. A quote inside a regular expression blanks the rest
 * of its line, which can hide a violation but never invents one.
 */
export function codeOnly(text: string, { keepStrings = false } = {}): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'?|"(?:\\.|[^"\\\n])*"?|`(?:\\[\s\S]|[^`\\])*`?/g;
  return text.replace(token, (found) =>
    keepStrings && found.startsWith("'") ? found : found.replace(/[^\n]/g, ' '),
  );
}

const STATIC = /\b(?:import|export)(\s+type)?\b([^'";]*?)\bfrom\s*'([^']+)'/g;
const BARE_OR_DYNAMIC = /\bimport\s*\(?\s*'([^']+)'/g;
const PATH_OF_MODULE = /'(\.\.?\/[^'\s]+\.js)'/g;

/** All imports of a file, in any form. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const code = codeOnly(text, { keepStrings: true });
  const found: Import[] = [];
  const add = (index: number, specifier: string, isTypeOnly: boolean, isDynamic: boolean) => {
    const target = targetOf(path, specifier);
    found.push({ line: lineAt(text, index), specifier, isTypeOnly, isDynamic, target });
  };
  for (const { index, 1: type, 2: clause = '', 3: specifier } of code.matchAll(STATIC)) {
    const names = clause
      .replace(/[{}]/g, '')
      .split(',')
      .filter((name) => name.trim() !== '');
    add(
      index,
      specifier!,
      type !== undefined || (names.length > 0 && names.every((name) => /^\s*type\s/.test(name))),
      false,
    );
  }
  for (const { index, 0: words, 1: specifier } of code.matchAll(BARE_OR_DYNAMIC)) {
    add(index, specifier!, false, words.includes('('));
  }
  return found;
}

/** Modules that a file imports or names by a relative path, as one does to start a worker or a process. */
export function modulesNamedBy({ path, text }: SourceFile): string[] {
  const code = codeOnly(text, { keepStrings: true });
  const named = [...code.matchAll(PATH_OF_MODULE)].map((match) => targetOf(path, match[1]!));
  return [...importsOf({ path, text }).map(({ target }) => target), ...named].filter(
    (target) => target !== undefined,
  );
}

function targetOf(from: string, specifier: string): string | undefined {
  const toSource = (path: string) => path.replace(/\.js$/, '.ts');
  if (specifier.startsWith('#src/')) return toSource(`src/${specifier.slice('#src/'.length)}`);
  if (!specifier.startsWith('.')) return undefined;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  const path = parts.join('/');
  // AssemblyScript names its modules without their ending
  return from.includes('/assembly/') ? `${path}.ts` : toSource(path);
}
