import type { Formula, FormulaCall } from './types.js';

/**
 * The text of a formula → its tree. Loosest first:
 *
 *   or │ and │ not │ = == != <> < <= > >= │ + − │ * / │ − x │ number, column, ( … ), floor(x) round(x) abs(x) min(a, b, …) max(a, b, …)
 */

export type ParsedFormula =
  | { ok: true; formula: Formula; columns: readonly number[]; isTruth: boolean }
  | { ok: false; message: string };

/** A tree is followed from call to call. */
const DEPTH_MAX = 40;
const NODES_MAX = 300;

/** `columnOf`: the column's index, or what is wrong with the name. */
export function parseFormula(text: string, columnOf: (name: string) => number | string): ParsedFormula {
  try {
    const parser = new FormulaParser(text, columnOf);
    const formula = parser.whole();
    return { ok: true, formula, columns: [...parser.columns], isTruth: isTruth(formula) };
  } catch (error) {
    if (error instanceof FormulaError) return { ok: false, message: error.message };
    throw error;
  }
}

/** Does it say true or false? */
function isTruth(formula: Formula): boolean {
  return 'call' in formula && TRUTH_CALLS.has(formula.call);
}

const TRUTH_CALLS: ReadonlySet<FormulaCall> = new Set([
  'equal',
  'unequal',
  'below',
  'at_most',
  'and',
  'or',
  'not',
]);

const FUNCTIONS: ReadonlyMap<string, { call: FormulaCall; least: number; most: number }> = new Map([
  ['floor', { call: 'floor', least: 1, most: 1 }],
  ['round', { call: 'round', least: 1, most: 1 }],
  ['abs', { call: 'abs', least: 1, most: 1 }],
  ['min', { call: 'min', least: 2, most: 20 }],
  ['max', { call: 'max', least: 2, most: 20 }],
]);

/** The second word: operands change places. */
const COMPARISONS: ReadonlyMap<string, { call: FormulaCall; turned: boolean }> = new Map([
  ['=', { call: 'equal', turned: false }],
  ['==', { call: 'equal', turned: false }],
  ['!=', { call: 'unequal', turned: false }],
  ['<>', { call: 'unequal', turned: false }],
  ['<', { call: 'below', turned: false }],
  ['>', { call: 'below', turned: true }],
  ['<=', { call: 'at_most', turned: false }],
  ['>=', { call: 'at_most', turned: true }],
]);

class FormulaError extends Error {}

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(==|!=|<>|<=|>=|[-+*/()<>=,]))/y;

class FormulaParser {
  readonly columns = new Set<number>();
  readonly #text: string;
  readonly #columnOf: (name: string) => number | string;
  #at = 0;
  #token = '';
  #nodes = 0;
  #depth = 0;

  constructor(text: string, columnOf: (name: string) => number | string) {
    this.#text = text;
    this.#columnOf = columnOf;
    this.#next();
  }

  whole(): Formula {
    const formula = this.#or();
    if (this.#token !== '') throw new FormulaError(`has ${this.#token} where it could end`);
    return formula;
  }

  #next(): void {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) {
      const rest = this.#text.slice(this.#at).trim();
      if (rest !== '') throw new FormulaError(`has ${JSON.stringify(rest[0])}, which means nothing here`);
      this.#token = '';
      return;
    }
    this.#at = TOKEN.lastIndex;
    this.#token = match[1] ?? match[2] ?? match[3]!;
  }

  #take(token: string): boolean {
    if (this.#token !== token) return false;
    this.#next();
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new FormulaError(`lacks ${token} before ${this.#token || 'its end'}`);
  }

  #or(): Formula {
    this.#enter();
    let left = this.#and();
    while (this.#take('or')) left = this.#call('or', left, this.#and());
    this.#depth--;
    return left;
  }

  #and(): Formula {
    let left = this.#not();
    while (this.#take('and')) left = this.#call('and', left, this.#not());
    return left;
  }

  #not(): Formula {
    if (!this.#take('not')) return this.#comparison();
    this.#enter();
    const formula = this.#call('not', this.#not());
    this.#depth--;
    return formula;
  }

  #comparison(): Formula {
    const left = this.#sum();
    const comparison = COMPARISONS.get(this.#token);
    if (comparison === undefined) return left;
    this.#next();
    const right = this.#sum();
    if (COMPARISONS.has(this.#token)) throw new FormulaError('compares twice in a row: use and');
    return comparison.turned
      ? this.#call(comparison.call, right, left)
      : this.#call(comparison.call, left, right);
  }

  #sum(): Formula {
    let left = this.#product();
    for (;;) {
      if (this.#take('+')) left = this.#call('add', left, this.#product());
      else if (this.#take('-')) left = this.#call('subtract', left, this.#product());
      else return left;
    }
  }

  #product(): Formula {
    let left = this.#signed();
    for (;;) {
      if (this.#take('*')) left = this.#call('multiply', left, this.#signed());
      else if (this.#take('/')) left = this.#call('divide', left, this.#signed());
      else return left;
    }
  }

  #signed(): Formula {
    if (!this.#take('-')) return this.#operand();
    this.#enter();
    const formula = this.#call('negate', this.#signed());
    this.#depth--;
    return formula;
  }

  #operand(): Formula {
    const token = this.#token;
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (/^\d/.test(token)) {
      const number = Number(token);
      if (!Number.isFinite(number)) throw new FormulaError(`has ${token}, which no number is as large as`);
      this.#next();
      this.#count();
      return { number };
    }
    if (!/^[A-Za-z_]/.test(token) || RESERVED.has(token)) {
      throw new FormulaError(`lacks a column, a number or a bracket before ${token || 'its end'}`);
    }
    this.#next();
    return this.#token === '(' ? this.#function(token) : this.#column(token);
  }

  #function(name: string): Formula {
    const known = FUNCTIONS.get(name);
    if (known === undefined) {
      throw new FormulaError(`has no function ${name}; there are ${[...FUNCTIONS.keys()].join(', ')}`);
    }
    this.#expect('(');
    const of: Formula[] = [];
    do of.push(this.#or());
    while (this.#take(','));
    this.#expect(')');
    const { call, least, most } = known;
    if (of.length < least || of.length > most) {
      const wanted = least === most ? `${least}` : `${least} to ${most}`;
      throw new FormulaError(`gives ${name} ${of.length} values, where it takes ${wanted}`);
    }
    return this.#call(call, ...of);
  }

  #column(name: string): Formula {
    const column = this.#columnOf(name);
    if (typeof column === 'string') throw new FormulaError(column);
    this.columns.add(column);
    this.#count();
    return { column };
  }

  #call(call: FormulaCall, ...of: Formula[]): Formula {
    this.#count();
    return { call, of };
  }

  #count(): void {
    if (++this.#nodes > NODES_MAX) throw new FormulaError(`has more than ${NODES_MAX} parts`);
  }

  #enter(): void {
    if (++this.#depth > DEPTH_MAX) throw new FormulaError(`is nested more than ${DEPTH_MAX} deep`);
  }
}

const RESERVED = new Set(['and', 'or', 'not']);
