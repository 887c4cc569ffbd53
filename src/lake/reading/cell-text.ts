import type { Cell, CellType } from './cell.js';

/**
 * Cells as JSON. Whole numbers keep all their digits, also beyond 2⁵³; what JSON has no number for is a string (`NaN`,
 * `Infinity`); times are ISO 8601 in UTC with three digits behind the second, six where they need them; bytes are base64.
 */
export function jsonWriter(type: CellType): (cell: Cell) => string {
  const write = valueWriter(type);
  return (cell) => (cell === null ? 'null' : write(cell));
}

function valueWriter(type: CellType): (cell: Exclude<Cell, null>) => string {
  switch (type.kind) {
    case 'string':
      return (cell) => JSON.stringify((cell as string).toWellFormed());
    case 'float':
    case 'double':
      return (cell) => (Number.isFinite(cell) ? floatText(cell as number) : `"${cell}"`);
    case 'date':
    case 'timestamp':
    case 'binary': {
      const text = textWriter(type);
      return (cell) => `"${text(cell)}"`;
    }
    case 'array': {
      const element = jsonWriter(type.element);
      return (cell) => `[${(cell as readonly Cell[]).map(element)}]`;
    }
    case 'map':
      return mapWriter(type.key, type.value);
    case 'struct': {
      const fields = type.fields.map(({ name, type: of }) => ({
        prefix: `${JSON.stringify(name)}:`,
        write: jsonWriter(of),
      }));
      return (cell) =>
        `{${fields.map(({ prefix, write }, at) => prefix + write((cell as readonly Cell[])[at]!))}}`;
    }
    default:
      return String;
  }
}

/** An object where the keys are texts, else pairs. */
function mapWriter(key: CellType, value: CellType): (cell: Exclude<Cell, null>) => string {
  const [keys, values] = [jsonWriter(key), jsonWriter(value)];
  const pairs = (cell: Cell) => cell as readonly (readonly [Cell, Cell])[];
  if (key.kind === 'string') return (cell) => `{${pairs(cell).map(([k, v]) => `${keys(k)}:${values(v)}`)}}`;
  return (cell) => `[${pairs(cell).map(([k, v]) => `[${keys(k)},${values(v)}]`)}]`;
}

/** Without quotes, as a person or a CSV file has it; what is nested is JSON. */
export function textWriter(type: CellType): (cell: Exclude<Cell, null>) => string {
  switch (type.kind) {
    case 'string':
      return (cell) => (cell as string).toWellFormed();
    case 'date':
      return (cell) => new Date((cell as number) * 86_400_000).toISOString().slice(0, 10);
    case 'timestamp':
      return (cell) => timeText(cell as bigint);
    case 'binary':
      return (cell) => Buffer.from(cell as Uint8Array).toString('base64');
    case 'float':
    case 'double':
      return (cell) => floatText(cell as number);
    case 'array':
    case 'map':
    case 'struct':
      return valueWriter(type);
    default:
      return String;
  }
}

/** A zero keeps its sign: JSON and CSV have one for it. */
function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function timeText(micros: bigint): string {
  const rest = ((micros % 1_000n) + 1_000n) % 1_000n;
  const text = new Date(Number((micros - rest) / 1_000n)).toISOString();
  return rest === 0n ? text : text.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}
