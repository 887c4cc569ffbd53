import type { CompiledModel, Row, RowValue } from '../model/types.js';
import type { FieldValues } from './event.js';
import type { LaneState } from './lane-state.js';

/**
 * A lane's state under one model → the same under one with more fields and columns: what events did not keep is null, and rows that
 * stand say `unsaid` in a new column, since they must be taken back as they were let out.
 */
export function migrateState(
  state: LaneState,
  from: CompiledModel,
  to: CompiledModel,
  unsaid: (column: CompiledModel['columns'][number]) => RowValue,
): LaneState {
  const fields = to.fields.map((field) => from.fields.findIndex((other) => keyOf(other) === keyOf(field)));
  const columns = to.columns.map(({ name }) => from.columns.findIndex((other) => other.name === name));
  const values = (before: FieldValues) => fields.map((index) => (index < 0 ? null : before[index]!));
  const row = (before: Row): Row =>
    columns.map((index, place) => (index < 0 ? unsaid(to.columns[place]!) : before[index]!));
  return {
    watermarkMs: state.watermarkMs,
    keys: state.keys.map((key) => ({
      ...key,
      sessions: key.sessions.map((session) => ({
        ...session,
        events: session.events.map((event) => ({ ...event, values: values(event.values) })),
        standing: session.standing.map((standing) => ({ ...standing, row: row(standing.row) })),
      })),
    })),
  };
}

function keyOf({ path, made }: CompiledModel['fields'][number]): string {
  return JSON.stringify([path, made]);
}
