import type { ColumnType, RowValue } from '../model/types.js';

/** A value of a row as JSON: as json-rows.ts has it of a data file, made without one. */
export function valueJson(type: ColumnType, value: RowValue): string {
  if (value === null) return 'null';
  switch (type) {
    case 'int64':
    case 'uint64':
      return `"${value}"`;
    case 'time':
      return `"${new Date(value as number).toISOString()}"`;
    case 'string':
      return JSON.stringify((value as string).toWellFormed());
    case 'list<string>':
      return JSON.stringify((value as readonly string[]).map((item) => item.toWellFormed()));
    case 'float':
      return JSON.stringify(value);
    default:
      return String(value);
  }
}
