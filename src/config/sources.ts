import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { type Environment, environmentLayer } from './environment.js';
import { MISSING } from './fields.js';
import { FILE_BYTES_MAX } from './file.js';
import { type ConfigFlags, flagFor, overlay } from './flags.js';
import { problemsOf } from './issues.js';
import { layerOf, merged, type NamedText, parseLayers } from './layers.js';
import { ConfigError, type Problem } from './problems.js';

export type { NamedText } from './layers.js';

/**
 * Where a configuration comes from, and how a problem in it is put to whoever wrote it. Later wins: the defaults, files in their order,
 * the environment, flags.
 */

export interface Sources {
  /** The flags' values over the environment's over the files'. */
  readonly root: Readonly<Record<string, unknown>>;
  /** What gave a setting that is set: a flag, or `file:line`. */
  originOf(path: string): string | null;
  /** What relative paths of a setting are relative to. */
  folderOf(path: string): string;
  /** The values as `schema` has them. Throws ConfigError, with `example` where something that it shows is not set. */
  check<T extends z.ZodType>(schema: T, example: string, root?: unknown): z.output<T>;
  /** All problems, each with its line or its flag. */
  error(problems: readonly Problem[]): ConfigError;
}

/** Throws ConfigError when a file is not YAML. */
export function openSources(
  files: NamedText | readonly NamedText[] | undefined,
  flags: ConfigFlags,
  workingFolder: string,
  environment: Environment = {},
): Sources {
  const layers = parseLayers(files === undefined ? [] : 'text' in files ? [files] : files);
  const broken = layers.flatMap(({ name, problems }) => problems.map((each) => ({ ...each, file: name })));
  const lastName = layers.at(-1)?.name;
  if (broken.length > 0) throw new ConfigError(broken, lastName);
  const variables = environmentLayer(environment);
  const ofFiles = layers.reduce<Record<string, unknown>>((below, { root }) => merged(below, root), {});
  const { root, origins } = overlay(merged(ofFiles, variables.root), flags);
  const setBy = (path: string) => origins.get(path) ?? variables.origins.get(path);
  const located = (problem: Problem): Problem => {
    const flag = setBy(problem.path);
    if (flag !== undefined) return { ...problem, flag };
    const layer = layerOf(layers, problem.path);
    return { ...problem, file: layer?.name, line: layer?.lineOf(problem.path) };
  };
  const placeOf = ({ file }: Problem) => layers.findIndex(({ name }) => name === file);
  const error = (problems: readonly Problem[], example?: string) => {
    const all = problems.map(howToSet).map(located);
    return new ConfigError(
      all.sort((a, b) => placeOf(a) - placeOf(b)),
      lastName,
      example,
    );
  };
  const folderOf = (path: string) =>
    setBy(path) === undefined
      ? dirname(resolve(workingFolder, layerOf(layers, path)?.name ?? '.'))
      : workingFolder;
  return {
    root,
    error,
    originOf: (path) => {
      const layer = layerOf(layers, path);
      const line = layer?.lineOf(path);
      return setBy(path) ?? (line === undefined ? null : `${layer?.name}:${line}`);
    },
    folderOf,
    check(schema, example, checked = root) {
      const result = schema.safeParse(checked);
      if (result.success) return result.data;
      const problems = problemsOf(result.error.issues);
      const shown = problems.some(
        ({ path, message }) => message === MISSING && example.includes(`${flagFor(path)} `),
      );
      throw error(problems, shown ? example : undefined);
    },
  };
}

/** A bare word names a shipped model; what has a slash or ends in .yaml is a file. */
export function modelPath(model: string, sources: Sources): string {
  return /[/\\]|\.ya?ml$/i.test(model) ? resolve(sources.folderOf('model'), model) : model;
}

/** Several files with commas between them. Throws ConfigError where one can't be read, or is far too large. */
export function readConfigFiles(files: string): NamedText[] {
  return files
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map(readConfigFile);
}

function readConfigFile(file: string): NamedText {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) {
      throw new ConfigError([{ path: '', message: 'is larger than 1MiB: not a configuration' }], file);
    }
    return { name: file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = READ_FAILURES[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message;
    throw new ConfigError([{ path: '', flag: `--config ${file}`, message: reason }], file);
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; headrace init FILE writes one',
  EISDIR: 'is a folder; name the file in it',
  EACCES: 'may not be read by this user',
};

/** What is missing names its flag; the lake says why there is no engine without it. */
function howToSet(problem: Problem): Problem {
  if (problem.message !== MISSING) return problem;
  const flag = flagFor(problem.path);
  const how = flag === undefined ? '' : `: give it in the file or as ${flag}`;
  const why =
    problem.path === 'lake.path'
      ? '; the ledger lives in the sessions table, so no engine runs without a lake'
      : '';
  return { ...problem, message: `${MISSING}${how}${why}` };
}

/** Nobody changes a configuration behind the others' backs. */
export function deepFreeze<T extends object>(value: T): T {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) deepFreeze(item);
  return Object.freeze(value);
}
