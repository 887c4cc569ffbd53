import { invariant } from '../invariant.js';
import type { CompiledModel, Field } from '../model/types.js';

/** What exports need to know of a model's fields. */

/** The name under which a field of the event goes through a job: dots and the prefix keep it apart from all other names. */
export function fieldName({ path }: Field): string {
  return `e.${path.join('.')}`;
}

export function fieldOf(model: CompiledModel, index: number): Field {
  const field = model.fields[index];
  invariant(field !== undefined, `the model has a field ${index}`);
  return field;
}

/** Fields as the tree of keys that an event is. */
export interface FieldTree {
  name: string;
  field: Field | null;
  children: FieldTree[];
}

export function fieldTree(fields: readonly Field[]): FieldTree[] {
  const roots: FieldTree[] = [];
  for (const field of fields) {
    if (field.made !== undefined) continue;
    let level = roots;
    for (const [depth, name] of field.path.entries()) {
      let node = level.find((candidate) => candidate.name === name);
      if (node === undefined) {
        node = { name, field: null, children: [] };
        level.push(node);
      }
      if (depth === field.path.length - 1) node.field = field;
      level = node.children;
    }
  }
  return roots;
}

export const ISO_8601_PATTERN =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?$';

/** The pieces of a template: `{key}:{start_ms}` → key, ':', start. */
export function templateParts(template: string): ({ text: string } | 'key' | 'start_ms')[] {
  return template
    .split(/(\{key\}|\{start_ms\})/)
    .filter((part) => part !== '')
    .map((part) => (part === '{key}' ? 'key' : part === '{start_ms}' ? 'start_ms' : { text: part }));
}

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
export const IPV4_PATTERN = `^(${OCTET}[.]){3}${OCTET}$`;
/** What of an IPv4 address mask: truncate_ip takes away. */
export const IPV4_LAST_PATTERN = '[0-9]+$';
