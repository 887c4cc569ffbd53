import { type ConfigText, parseConfigText } from './file.js';

/** Files on top of each other: maps are joined, everything else is replaced by what comes later. */

export interface NamedText {
  name: string;
  text: string;
}

export interface FileLayer extends ConfigText {
  name: string;
}

type Settings = Readonly<Record<string, unknown>>;

export function parseLayers(files: readonly NamedText[]): FileLayer[] {
  return files.map(({ name, text }) => ({ name, ...parseConfigText(text) }));
}

/** Neither is changed. */
export function merged(below: Settings, above: Settings): Record<string, unknown> {
  const result: Record<string, unknown> = Object.assign(Object.create(null), below);
  for (const [key, value] of Object.entries(above)) {
    const known = result[key];
    if (value === undefined) continue;
    result[key] = isMap(known) && isMap(value) ? merged(known, value) : value;
  }
  return result;
}

/** The last file that sets a path, or else the last that has some of it. */
export function layerOf(layers: readonly FileLayer[], path: string): FileLayer | undefined {
  return (
    layers.findLast(({ root }) => valueAt(root, path) !== undefined) ??
    layers.findLast(({ lineOf }) => lineOf(path) !== undefined) ??
    layers.at(-1)
  );
}

/** Keys may hold dots themselves (librdkafka's properties do). */
function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Settings)[path];
  const [part = ''] = path.split('.', 1);
  if (part.length === path.length || !Object.hasOwn(value, part)) return undefined;
  return valueAt((value as Settings)[part], path.slice(part.length + 1));
}

function isMap(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
