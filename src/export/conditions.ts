import type { Condition } from '../model/types.js';
import type { SqlWords } from './types.js';

/** A condition as SQL that is true or false, never null. `fieldSql`: the SQL of a field's value. */
export function conditionSql(
  condition: Condition,
  words: SqlWords,
  fieldSql: (field: number) => string,
): string {
  if ('all' in condition) {
    return joined('AND', condition.all, words, fieldSql);
  }
  if ('any' in condition) return joined('OR', condition.any, words, fieldSql);
  const value = fieldSql(condition.field);
  const texts = (list: readonly string[]) => list.map((text) => words.text(text)).join(', ');
  if ('oneOf' in condition) return `(${value} IS NOT NULL AND ${value} IN (${texts(condition.oneOf)}))`;
  if ('noneOf' in condition) return `(${value} IS NULL OR ${value} NOT IN (${texts(condition.noneOf)}))`;
  if ('present' in condition) return `(${value} IS ${condition.present ? 'NOT NULL' : 'NULL'})`;
  if ('is' in condition) return `(${value} IS NOT NULL AND ${value} = ${condition.is ? 1 : 0})`;
  if ('least' in condition) {
    const { least, most } = condition;
    const bounds = [
      least === null ? [] : [`${value} >= ${least}`],
      most === null ? [] : [`${value} <= ${most}`],
    ];
    return `(${[`${value} IS NOT NULL`, ...bounds.flat()].join(' AND ')})`;
  }
  return condition satisfies never;
}

function joined(
  word: 'AND' | 'OR',
  conditions: readonly Condition[],
  words: SqlWords,
  fieldSql: (field: number) => string,
): string {
  return `(${conditions.map((each) => conditionSql(each, words, fieldSql)).join(` ${word} `)})`;
}
