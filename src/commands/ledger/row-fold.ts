import { valueJson } from '../../columnar/value-json.js';
import type { CompiledModel, Row } from '../../model/types.js';

/**
 * Rows of two sides, folded: Σ sign by content, the table's against what the reference makes of the log. Rows that both have, or that
 * one side took back itself, leave nothing; what is left is a difference. What differs from attempt to attempt (created_at,
 * batch_id, file_id) is no content; the day of the row's folder is.
 */

/** A row's columns as JSON texts, without those that are no content. */
export type RowTexts = readonly string[];

interface Leftover {
  texts: RowTexts;
  /** Σ sign of the log's rows − Σ sign of the table's. */
  sum: number;
}

export interface RowDifference {
  sessionId: string;
  column: string;
  /** As JSON; – where the side has no such row. */
  table: string;
  log: string;
}

const NO_CONTENT = new Set(['created_at', 'batch_id', 'file_id', 'sign']);
const ABSENT = '–';

export class RowFold {
  readonly #names: readonly string[];
  readonly #indexes: readonly number[];
  readonly #sign: number;
  readonly #sessionId: number;
  readonly #model: CompiledModel;
  readonly #left = new Map<string, Leftover>();

  constructor(model: CompiledModel) {
    const content = model.columns.filter(({ op }) => !NO_CONTENT.has(op.op));
    this.#model = model;
    this.#indexes = content.map(({ index }) => index);
    this.#names = [...content.map(({ name }) => name), model.partitionColumn];
    this.#sign = model.columnIndex.sign;
    this.#sessionId = content.findIndex(({ op }) => op.op === 'session_id');
  }

  /** Contents that are on one side only, so far. */
  get size(): number {
    return this.#left.size;
  }

  ofLog(row: Row): void {
    const texts = this.#model.columns.map((column, index) => valueJson(column.type, row[index]!));
    const day = new Date(row[this.#model.columnIndex.session_start] as number).toISOString().slice(0, 10);
    this.#add(texts, day, 1);
  }

  /** `texts`: all columns of the model as JSON; `date`: of the folder it lies in. */
  ofTable(texts: RowTexts, date: string): void {
    this.#add(texts, date, -1);
  }

  /**
   * Rows of the table that were erased are on the log's side alone. Where that is all that is left, and no more than were erased, it is
   * no difference.
   */
  takeErased(rows: number): void {
    const left = [...this.#left.values()];
    const onLog = left.reduce((total, { sum }) => total + sum, 0);
    if (left.every(({ sum }) => sum > 0) && onLog <= rows) this.#left.clear();
  }

  /** At most `max` of what is left, each with one column that differs. */
  differences(max: number): RowDifference[] {
    const bySession = new Map<string, { log: RowTexts[]; table: RowTexts[] }>();
    for (const { texts, sum } of this.#left.values()) {
      const id = texts[this.#sessionId]!;
      const sides = bySession.get(id) ?? { log: [], table: [] };
      bySession.set(id, sides);
      (sum > 0 ? sides.log : sides.table).push(texts);
      if (bySession.size > max) break;
    }
    return [...bySession].flatMap(([id, sides]) => this.#pairs(textOf(id), sides)).slice(0, max);
  }

  /** Sessions with something left. */
  get sessions(): number {
    return new Set([...this.#left.values()].map(({ texts }) => texts[this.#sessionId]!)).size;
  }

  #pairs(sessionId: string, { log, table }: { log: RowTexts[]; table: RowTexts[] }): RowDifference[] {
    const found: RowDifference[] = [];
    for (let i = 0; i < Math.max(log.length, table.length); i++) {
      const [ours, theirs] = [log[i], table[i]];
      if (ours === undefined || theirs === undefined) {
        const side = (texts: RowTexts | undefined) => (texts === undefined ? ABSENT : `[${texts.join(',')}]`);
        found.push({ sessionId, column: 'the row', table: side(theirs), log: side(ours) });
        continue;
      }
      for (const [index, column] of this.#names.entries()) {
        if (ours[index] === theirs[index]) continue;
        found.push({ sessionId, column, table: theirs[index]!, log: ours[index]! });
      }
    }
    return found;
  }

  #add(all: RowTexts, day: string, factor: 1 | -1): void {
    const texts = [...this.#indexes.map((index) => all[index]!), day];
    const key = texts.join('\u0000');
    const sum = (this.#left.get(key)?.sum ?? 0) + factor * Number(all[this.#sign]);
    if (sum === 0) this.#left.delete(key);
    else this.#left.set(key, { texts, sum });
  }
}

function textOf(json: string): string {
  return JSON.parse(json) as string;
}
