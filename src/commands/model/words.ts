import type { Column, ColumnOp, CompiledModel, Condition, Formula, FormulaCall } from '../../model/types.js';

/**
 * What a column holds, in the words of the model file: the operation, and what it takes. Places in the compiled table are turned
 * back into the names of fields and columns, so that this is a look at what was compiled and not at what was written.
 */
export function columnWords(model: CompiledModel, { op }: Column): string {
  const words = Object.entries(op)
    .filter(([name, value]) => name !== 'op' && value !== null && value !== false)
    .map(([name, value]) => `${name} ${valueWords(model, op, name, value)}`);
  return [op.op, ...words].join(', ');
}

const FIELDS: readonly string[] = ['field', 'by', 'present'];

function valueWords(model: CompiledModel, op: ColumnOp, name: string, value: unknown): string {
  if (typeof value === 'number' && FIELDS.includes(name)) return fieldName(model, value);
  if (name === 'where') return conditionWords(model, value as Condition);
  if (op.op === 'overflow' && name === 'of') return columnName(model, op.of);
  if (op.op === 'concat' && name === 'of')
    return op.of.map((column) => columnName(model, column)).join(' + ');
  if (op.op === 'calculate') return formulaWords(model, op.formula);
  if (op.op === 'records' && name === 'members') {
    return op.members.map((member) => `${member.name}: ${fieldName(model, member.field)}`).join(', ');
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function conditionWords(model: CompiledModel, condition: Condition): string {
  if ('all' in condition) return condition.all.map((each) => conditionWords(model, each)).join(' and ');
  if ('any' in condition) return `(${condition.any.map((each) => conditionWords(model, each)).join(' or ')})`;
  const name = fieldName(model, condition.field);
  if ('oneOf' in condition) return `${name} in [${condition.oneOf.join(', ')}]`;
  if ('noneOf' in condition) return `${name} not in [${condition.noneOf.join(', ')}]`;
  if ('present' in condition) return `${name} ${condition.present ? 'present' : 'missing'}`;
  if ('is' in condition) return `${name} is ${condition.is}`;
  const { least, most } = condition;
  return `${name} ${[least === null ? '' : `≥ ${least}`, most === null ? '' : `≤ ${most}`].filter(Boolean).join(' and ')}`;
}

export function fieldName(model: CompiledModel, index: number): string {
  const { path, made } = model.fields[index]!;
  return made === undefined ? path.join('.') : `$${made}`;
}

function columnName(model: CompiledModel, index: number): string {
  return model.columns[index]!.name;
}

const BETWEEN: Readonly<Partial<Record<FormulaCall, string>>> = {
  add: '+',
  subtract: '−',
  multiply: '×',
  divide: '/',
  equal: '=',
  unequal: '≠',
  below: '<',
  at_most: '≤',
  and: 'and',
  or: 'or',
};

function formulaWords(model: CompiledModel, formula: Formula): string {
  if ('number' in formula) return String(formula.number);
  if ('column' in formula) return columnName(model, formula.column);
  const parts = formula.of.map((each) => formulaWords(model, each));
  const sign = BETWEEN[formula.call];
  return sign === undefined ? `${formula.call}(${parts.join(', ')})` : `(${parts.join(` ${sign} `)})`;
}
