import type { Cell, CellColumn } from '../../lake/reading/cell.js';
import { jsonWriter, textWriter } from '../../lake/reading/cell-text.js';
import { rowAt, type WantedRows } from '../../lake/reading/table-rows.js';
import { formatTable } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import { parquetOutput } from './parquet-output.js';

export type RowFormat = 'table' | 'csv' | 'jsonl' | 'parquet';

/** Rows as bytes, while they come. Throws what reading them throws. */
export function rowOutput(
  format: RowFormat,
  columns: readonly CellColumn[],
  blocks: AsyncIterable<WantedRows>,
): AsyncGenerator<string | Uint8Array> {
  switch (format) {
    case 'table':
      return tableOutput(columns, blocks);
    case 'csv':
      return csvOutput(columns, blocks);
    case 'jsonl':
      return jsonLinesOutput(columns, blocks);
    case 'parquet':
      return parquetOutput(columns, blocks);
  }
}

/** Wide enough for most, narrow enough for a terminal. */
const CELL_CHARACTERS_MAX = 40;

/** For people: all rows have to be known before the first is shown, so they should be few. */
async function* tableOutput(
  columns: readonly CellColumn[],
  blocks: AsyncIterable<WantedRows>,
): AsyncGenerator<string> {
  const texts = columns.map(({ type }) => textWriter(type));
  const table: string[][] = [];
  for await (const { cells, rows } of blocks) {
    for (const row of rows) {
      const line = rowAt(cells, row).map((cell, at) => (cell === null ? '–' : texts[at]!(cell)));
      table.push(line.map((text) => printable(text, CELL_CHARACTERS_MAX)));
    }
  }
  const head = columns.map(({ name }) => printable(name, CELL_CHARACTERS_MAX));
  yield table.length === 0 ? 'No rows, or none of those.\n' : `${formatTable(head, table)}\n`;
}

/** RFC 4180, with a head; nothing between two commas is null, `""` an empty text. */
async function* csvOutput(
  columns: readonly CellColumn[],
  blocks: AsyncIterable<WantedRows>,
): AsyncGenerator<string> {
  const texts = columns.map(({ type }) => textWriter(type));
  yield `${columns.map(({ name }) => csvText(name))}\r\n`;
  for await (const { cells, rows } of blocks) {
    let lines = '';
    for (const row of rows) {
      const line = rowAt(cells, row).map((cell, at) => (cell === null ? '' : csvText(texts[at]!(cell))));
      lines += `${line}\r\n`;
    }
    yield lines;
  }
}

function csvText(text: string): string {
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One object a line. */
async function* jsonLinesOutput(
  columns: readonly CellColumn[],
  blocks: AsyncIterable<WantedRows>,
): AsyncGenerator<string> {
  const members = columns.map(({ name, type }) => {
    const [prefix, json] = [`${JSON.stringify(name)}:`, jsonWriter(type)];
    return (cell: Cell) => prefix + json(cell);
  });
  for await (const { cells, rows } of blocks) {
    let lines = '';
    for (const row of rows) lines += `{${rowAt(cells, row).map((cell, at) => members[at]!(cell))}}\n`;
    yield lines;
  }
}
