import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument } from 'yaml';
import { z } from 'zod';
import { configSchema } from './schema.js';

/**
 * The form of a configuration for editors: JSON schema (draft 2020-12), made from the one that files are checked by, with the remarks
 * of config/default.yaml. Nothing is required in it: flags, the environment and other files may set what a file does not.
 */

/** config of the package; as far from src/config as from dist/config. */
const DEFAULT_FILE = new URL('../../config/default.yaml', import.meta.url);

type Schema = Record<string, unknown> & { properties?: Record<string, Schema> };

export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const remarks = remarksOf(withSectionsOn(readFileSync(DEFAULT_FILE, 'utf8')));
  return { title: 'The configuration of a Headrace engine', ...described(schema, '', remarks) };
}

/** The sections that are off by default stand behind #. */
export function withSectionsOn(defaults: string): string {
  return defaults.replace(/^#(?=[a-z]+:| {2})/gm, '');
}

function described({ required: _, ...schema }: Schema, path: string, remarks: Map<string, string>): Schema {
  const remark = remarks.get(path);
  const properties = Object.entries(schema.properties ?? {}).map(([name, inner]) => [
    name,
    described(inner, path === '' ? name : `${path}.${name}`, remarks),
  ]);
  return {
    ...schema,
    ...(remark === undefined ? {} : { description: remark }),
    ...(schema.properties === undefined ? {} : { properties: Object.fromEntries(properties) }),
  };
}

/** By dotted path, what stands above a setting. */
function remarksOf(text: string): Map<string, string> {
  const remarks = new Map<string, string>();
  const walk = (node: unknown, prefix: string) => {
    if (!isMap(node)) return;
    node.items.forEach((pair, index) => {
      if (!isScalar(pair.key)) return;
      const path = `${prefix}${String(pair.key.value)}`;
      // above the first setting of a map the parser hangs it on the map
      const above = pair.key.commentBefore ?? (index === 0 ? node.commentBefore : undefined);
      // what is apart by an empty line is about the file, or the section as a whole
      const remark = above?.split(/\n\s*\n/).at(-1);
      if (remark) remarks.set(path, remark.replace(/\s*\n\s*/g, ' ').trim());
      walk(pair.value, `${path}.`);
    });
  };
  walk(parseDocument(text).contents, '');
  return remarks;
}
