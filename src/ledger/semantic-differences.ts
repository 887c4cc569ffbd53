import { canonicalJson } from '../model/hash.js';
import type { SemanticRules } from './semantics.js';

export interface SemanticDifference {
  text: string;
  /** What the table does not know and we do; null: any other difference. */
  added: { kind: 'field' | 'column'; name: string } | null;
}

/** What two sets of rules differ in, in the words of config and model files: the table's first, then ours. */
export function semanticDifferences(table: SemanticRules, ours: SemanticRules): SemanticDifference[] {
  const found: SemanticDifference[] = [];
  const say = (text: string) => found.push({ text, added: null });
  const compare = (name: string, theirs: unknown, own: unknown) => {
    if (canonicalJson(theirs) !== canonicalJson(own)) say(`${name} was ${text(theirs)}, is ${text(own)}`);
  };
  compare('kafka.isolation', table.isolation, ours.isolation);
  compare('limits.record_bytes_max', `${table.recordBytesMax} bytes`, `${ours.recordBytesMax} bytes`);
  compare('the engine’s own rules', `version ${table.engine}`, `version ${ours.engine}`);
  compare('model: value', table.model.valueFormat ?? 'json', ours.model.valueFormat ?? 'json');
  for (const [word, name] of MODEL_WORDS) compare(`model: ${word}`, table.model[name], ours.model[name]);
  compare('model: gap.field', gapFieldOf(table), gapFieldOf(ours));
  compare('model: filter', conditionOf(table, 'filter'), conditionOf(ours, 'filter'));
  compare('model: end_event', conditionOf(table, 'endEvent'), conditionOf(ours, 'endEvent'));
  const field = ({ fields }: SemanticRules['model'], index: number) => fields[index]?.path.join('.');
  const keyOf = ({ model }: SemanticRules) =>
    (model.keyParts ?? [model.keyField]).map((index) => field(model, index)).join(', ');
  compare('model: start_event', conditionOf(table, 'startEvent'), conditionOf(ours, 'startEvent'));
  const changing = ({ model }: SemanticRules) => (model.onChange ?? []).map((index) => field(model, index));
  compare('model: split on change of', changing(table).join(', '), changing(ours).join(', '));
  compare('model: midnight', table.model.midnight ?? 'none', ours.model.midnight ?? 'none');
  compare('model: end event counted', table.model.endCounted ?? false, ours.model.endCounted ?? false);
  compare('model: key', keyOf(table), keyOf(ours));
  const repeated = ({ model }: SemanticRules) =>
    model.deduplicateField === undefined ? 'none' : field(model, model.deduplicateField);
  compare('model: deduplicate', repeated(table), repeated(ours));
  if (table.model.maskSalt !== ours.model.maskSalt) say('model: the content of mask_salt_file is another');
  compare('model: time', field(table.model, table.model.timeField), field(ours.model, ours.model.timeField));
  const fieldsOf = ({ model }: SemanticRules) =>
    new Map(
      model.fields.map((field) => {
        const { path: _, ...rest } = field;
        return [nameOf(field), rest];
      }),
    );
  found.push(...changes('field', fieldsOf(table), fieldsOf(ours)));
  const columnsOf = ({ model }: SemanticRules) =>
    new Map(model.columns.map(({ name, ...rest }) => [name, named(rest, model)]));
  found.push(...changes('column', columnsOf(table), columnsOf(ours)));
  if (found.length === 0) say(ORDER);
  return found;
}

/** When nothing else differs. */
export const ORDER = 'the order of fields or columns in the model';

/** With fields by their paths. */
function conditionOf({ model }: SemanticRules, name: 'filter' | 'endEvent' | 'startEvent'): unknown {
  const condition = model[name] ?? null;
  return condition === null ? 'none' : named(condition, model);
}

function gapFieldOf({ model }: SemanticRules): unknown {
  return model.gapField === undefined ? 'none' : named(model.gapField, model);
}

const MODEL_WORDS = [
  ['gap (ms)', 'gapMs'],
  ['allowed_disorder (ms)', 'allowedDisorderMs'],
  ['allowed_lateness (ms)', 'allowedLatenessMs'],
  ['max_future (ms)', 'maxFutureMs'],
  ['max_duration (ms)', 'maxDurationMs'],
  ['time.format', 'timeFormat'],
] as const;

function changes(
  kind: 'field' | 'column',
  table: ReadonlyMap<string, unknown>,
  ours: ReadonlyMap<string, unknown>,
): SemanticDifference[] {
  const found: SemanticDifference[] = [];
  for (const [name, theirs] of table) {
    if (!ours.has(name)) found.push({ text: `${kind} ${name} is gone`, added: null });
    else if (canonicalJson(theirs) !== canonicalJson(ours.get(name))) {
      found.push({ text: `${kind} ${name} was ${text(theirs)}, is ${text(ours.get(name))}`, added: null });
    }
  }
  for (const name of ours.keys())
    if (!table.has(name)) found.push({ text: `${kind} ${name} is new`, added: { kind, name } });
  return found;
}

/** Fields by their paths instead of their numbers, which move when one is added. */
function named(column: object, { fields }: SemanticRules['model']): unknown {
  const pathOf = (value: unknown) => fields[value as number]?.path.join('.') ?? value;
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        FIELD_MEMBERS.has(key) && typeof item === 'number' ? pathOf(item) : walk(item),
      ]),
    );
  };
  return walk(column);
}

const FIELD_MEMBERS = new Set(['field', 'by', 'present']);

/** One that is made beside an event has no path. */
function nameOf({ path, made }: SemanticRules['model']['fields'][number]): string {
  return made === undefined ? path.join('.') : `the ${made}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
