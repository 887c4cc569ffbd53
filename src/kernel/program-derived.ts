import type { Formula, FormulaCall } from '../model/types.js';
import * as abi from './abi.js';
import type { ProgramWriter } from './program-writer.js';

/** Columns made of other columns, as the program has them. */

const CODES: Readonly<Record<FormulaCall, number>> = {
  add: abi.CODE_ADD,
  subtract: abi.CODE_SUBTRACT,
  multiply: abi.CODE_MULTIPLY,
  divide: abi.CODE_DIVIDE,
  negate: abi.CODE_NEGATE,
  equal: abi.CODE_EQUAL,
  unequal: abi.CODE_UNEQUAL,
  below: abi.CODE_BELOW,
  at_most: abi.CODE_AT_MOST,
  and: abi.CODE_AND,
  or: abi.CODE_OR,
  not: abi.CODE_NOT,
  floor: abi.CODE_FLOOR,
  round: abi.CODE_ROUND,
  min: abi.CODE_MIN,
  max: abi.CODE_MAX,
  abs: abi.CODE_ABS,
};

interface Step {
  code: number;
  column?: number;
  number?: number;
}

export function putFormula(out: ProgramWriter, formula: Formula): number {
  const steps = stepsOf(formula);
  const at = out.reserve(abi.FORMULA_STEPS + steps.length * abi.FORMULA_STEP_BYTES);
  out.u32(at, steps.length);
  for (const [index, { code, column, number }] of steps.entries()) {
    const entry = at + abi.FORMULA_STEPS + index * abi.FORMULA_STEP_BYTES;
    out.u32(entry, code);
    out.u32(entry + 4, column ?? 0);
    out.f64(entry + 8, number ?? 0);
  }
  return at;
}

/** Of several operands two at a time. */
function stepsOf(formula: Formula): Step[] {
  if ('number' in formula) return [{ code: abi.CODE_NUMBER, number: formula.number }];
  if ('column' in formula) return [{ code: abi.CODE_COLUMN, column: formula.column }];
  const code = CODES[formula.call];
  const [first, ...others] = formula.of.map(stepsOf);
  if (others.length === 0) return [...first!, { code }];
  return [...first!, ...others.flatMap((other) => [...other, { code }])];
}

export function putConcat(out: ProgramWriter, of: readonly number[], separator: string): number {
  const at = out.reserve(abi.JOINED_COLUMNS + of.length * 4);
  const text = out.text(separator);
  out.u32(at, of.length);
  out.u32(at + abi.JOINED_SEPARATOR, text.at);
  out.u32(at + abi.JOINED_SEPARATOR_BYTES, text.bytes);
  for (const [index, column] of of.entries()) out.u32(at + abi.JOINED_COLUMNS + index * 4, column);
  return at;
}
