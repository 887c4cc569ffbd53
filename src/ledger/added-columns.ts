import { modelHash } from '../model/hash.js';
import type { Column, CompiledModel, Field, RowValue } from '../model/types.js';
import { ORDER, semanticDifferences } from './semantic-differences.js';
import type { SemanticRules } from './semantics.js';

/**
 * A model that has more columns than the one by which a table's rows were made, and is the same in all else. Open sessions go on
 * under it: what their events up to now said for the new columns alone is not known, and counts as not said.
 */
export interface AddedColumns {
  /** The model of before, as far as a lane's state and its rows need it. */
  before: CompiledModel;
  /** Names of columns that the table has not. */
  columns: string[];
}

/** `refused`: why the table can't go on under the model; in the words of its file. */
export function addedColumns(
  table: SemanticRules,
  ours: SemanticRules,
  model: CompiledModel,
): AddedColumns | { refused: string[] } {
  const refused: string[] = [];
  const columns: string[] = [];
  for (const { text, added } of semanticDifferences(table, ours)) {
    if (added === null) {
      if (text !== ORDER) refused.push(text);
    } else if (added.kind === 'column') {
      columns.push(added.name);
      const column = model.columns.find(({ name }) => name === added.name);
      if (column === undefined || unsaid(column) === undefined)
        refused.push(
          `column ${added.name} is new and can't be null: rows and open sessions of before have nothing for it`,
        );
    } else if (model.fields.some((field) => field.required && nameOf(field) === added.name)) {
      refused.push(`field ${added.name} is new and required: events that lack it would be refused`);
    }
  }
  if (refused.length > 0) return { refused };
  const before = earlierModel(model, table);
  // what the words above leave out is in the hash
  return before === null ? { refused: ['the rules that begin and end sessions'] } : { before, columns };
}

/**
 * What a row of before says in a new column, when it is taken back: nothing, as the table says of it. Undefined: a column of this kind
 * can't be added.
 */
export function unsaid({ type, nullable }: Column): RowValue | undefined {
  if (type === 'list<string>') return [];
  return nullable ? null : undefined;
}

/** The model as the table's rules say it; null: it does not come to the same hash. */
function earlierModel(now: CompiledModel, { model: rules }: SemanticRules): CompiledModel | null {
  const fields = rules.fields.map(({ path, type, required, made, mask }, index): Field => {
    const known = now.fields.find((field) => nameOf(field) === nameOf({ path, made }));
    const more = { ...(made === undefined ? {} : { made }), ...(mask === undefined ? {} : { mask }) };
    return { ...known, index, path, type, required, ...more } as Field;
  });
  const columns = rules.columns.flatMap(({ name, type, nullable, op }, index): Column[] => {
    const known = now.columns.find((column) => column.name === name);
    // what the hash leaves out of an operation is the same as now
    return known === undefined
      ? []
      : [{ ...known, index, name, type, nullable, op: { ...known.op, ...op } as Column['op'] }];
  });
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const { maxDurationMs, startEvent = null, endCounted = false, onChange = [] } = rules;
  const { hash: _, ...rest } = now;
  const before = {
    ...rest,
    fields,
    columns,
    columnIndex: Object.fromEntries(
      Object.keys(now.columnIndex).map((name) => [name, at(name)]),
    ) as CompiledModel['columnIndex'],
    keyField: rules.keyField,
    keyParts: rules.keyParts ?? [rules.keyField],
    deduplicateField: rules.deduplicateField ?? null,
    timeField: rules.timeField,
    filter: rules.filter ?? null,
    endEvent: rules.endEvent,
    windows: { ...now.windows, maxDurationMs, startEvent, endCounted, onChange },
  };
  return { ...before, hash: modelHash(before) };
}

function nameOf({ path, made }: { path: readonly string[]; made?: string | undefined }): string {
  return made === undefined ? path.join('.') : `the ${made}`;
}
