import { z } from 'zod';
import { configSchema } from './schema.js';
import type { Sources } from './sources.js';

/** Every setting with its value as it would be written, and where it comes from. */
export interface EffectiveSetting {
  path: string;
  /** As it was written, or the default; null: it is not set and needs not be. */
  value: unknown;
  /** A flag, `file:line`, or null: the default. */
  origin: string | null;
}

/** Sections that are absent by default are one setting then, which is null. */
export function effectiveSettings(sources: Sources): EffectiveSetting[] {
  return settingsOf(configSchema, [], sources.root, sources);
}

function settingsOf(
  schema: z.ZodType,
  path: readonly string[],
  given: unknown,
  sources: Sources,
): EffectiveSetting[] {
  const [inner, fallback] = unwrapped(schema);
  const dotted = path.join('.');
  if (inner instanceof z.ZodObject && !(given === undefined && schema instanceof z.ZodOptional)) {
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, type]) =>
      settingsOf(type, [...path, key], (given as Record<string, unknown> | undefined)?.[key], sources),
    );
  }
  if (given === undefined) return [{ path: dotted, value: fallback ?? null, origin: null }];
  return [{ path: dotted, value: given, origin: sources.originOf(dotted) }];
}

/** The type itself, and its default as it would be written. */
function unwrapped(schema: z.ZodType): [z.ZodType, unknown] {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPrefault)
    return [unwrapped(schema.unwrap() as z.ZodType)[0], schema.def.defaultValue];
  return [schema, undefined];
}
