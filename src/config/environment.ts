import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from './schema.js';

/**
 * Settings from the environment: `HEADRACE__KAFKA__SESSION_TIMEOUT=20s` is kafka.session_timeout, over the files and under the flags.
 * A value is text where the setting takes it as such, and otherwise what it is in YAML: `4`, `true`, `[a, b]`, `{a: 1}`.
 */

const PREFIX = 'HEADRACE__';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentLayer {
  root: Record<string, unknown>;
  /** By dotted path, the variable that set it. */
  origins: Map<string, string>;
}

/** The variable that sets a setting. */
export function variableOf(path: string): string {
  return `${PREFIX}${path.toUpperCase().replaceAll('.', '__')}`;
}

/** An empty variable sets nothing, as an empty setting in a file does. */
export function environmentLayer(environment: Environment): EnvironmentLayer {
  const root: Record<string, unknown> = Object.create(null);
  const origins = new Map<string, string>();
  for (const name of Object.keys(environment)
    .filter((each) => each.startsWith(PREFIX))
    .sort()) {
    const text = environment[name];
    if (text === undefined || text === '') continue;
    const path = name.slice(PREFIX.length).toLowerCase().split('__');
    if (path.includes('')) continue;
    put(root, path, typed(path, text));
    origins.set(path.join('.'), name);
  }
  return { root, origins };
}

function put(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let map = root;
  for (const part of path.slice(0, -1)) {
    const inner = map[part];
    if (typeof inner !== 'object' || inner === null) map[part] = Object.create(null);
    map = map[part] as Record<string, unknown>;
  }
  map[path.at(-1)!] = value;
}

function typed(path: readonly string[], text: string): unknown {
  if (settingAt(path)?.safeParse(text).success !== false) return text;
  try {
    return parse(text, { schema: 'core' }) ?? text;
  } catch {
    return text;
  }
}

/** Undefined: there is no such setting. */
function settingAt(path: readonly string[]): z.ZodType | undefined {
  let type: z.ZodType = configSchema;
  for (const part of path) {
    while (type instanceof z.ZodPrefault || type instanceof z.ZodOptional) type = type.unwrap() as z.ZodType;
    if (!(type instanceof z.ZodObject)) return undefined;
    const inner = (type.shape as Record<string, z.ZodType>)[part];
    if (inner === undefined) return undefined;
    type = inner;
  }
  return type;
}
