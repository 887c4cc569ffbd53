/** Where a text stops being JSON: JSON.parse says that it is none, but not reliably where. */

/** Deeper ones are judged by JSON.parse alone. */
const DEPTH_MAX = 500;

/** UTF-16 index of the first thing that can't be JSON, the text's end where it is cut off; null: it is JSON. */
export function jsonProblemAt(text: string): number | null {
  const reader = new Reader(text);
  try {
    reader.value(0);
    reader.space();
    return reader.at === text.length ? null : reader.at;
  } catch (error) {
    if (error instanceof Stop) return error.at;
    throw error;
  }
}

/** Index of the first byte that is not UTF-8; null: all are. */
export function utf8ProblemAt(bytes: Uint8Array): number | null {
  // whether the first n bytes can be the beginning of UTF-8 only ever turns from yes to no
  let good = 0;
  let bad = bytes.byteLength + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isBeginning(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  if (good < bytes.byteLength) return good;
  // all of it can be a beginning: the last character may be cut off
  return isWhole(bytes) ? null : good;
}

function isBeginning(bytes: Uint8Array): boolean {
  return decodes(bytes, true);
}

function isWhole(bytes: Uint8Array): boolean {
  return decodes(bytes, false);
}

function decodes(bytes: Uint8Array, stream: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}

class Stop extends Error {
  readonly at: number;

  constructor(at: number) {
    super('not JSON');
    this.at = at;
  }
}

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  space(): void {
    this.#match(/[ \t\n\r]*/y);
  }

  value(depth: number): void {
    this.space();
    if (depth > DEPTH_MAX) throw new Stop(this.at);
    const first = this.#text[this.at];
    if (first === '{') this.#members('}', () => this.#member(depth));
    else if (first === '[') this.#members(']', () => this.value(depth + 1));
    else if (first === '"') this.#string();
    else if (!this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y))
      throw new Stop(this.at);
  }

  #members(end: '}' | ']', member: () => void): void {
    this.at++;
    this.space();
    if (this.#takes(end)) return;
    for (;;) {
      member();
      this.space();
      if (this.#takes(end)) return;
      if (!this.#takes(',')) throw new Stop(this.at);
    }
  }

  #member(depth: number): void {
    this.space();
    if (this.#text[this.at] !== '"') throw new Stop(this.at);
    this.#string();
    this.space();
    if (!this.#takes(':')) throw new Stop(this.at);
    this.value(depth + 1);
  }

  #string(): void {
    this.at++;
    for (;;) {
      // all but quotes, backslashes and controls below a space
      this.#match(/[ !#-[\]-\uffff]*/y);
      if (this.#takes('"')) return;
      if (!this.#match(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y)) throw new Stop(this.at);
    }
  }

  #takes(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.#text);
    if (match === null) return false;
    this.at += match[0].length;
    return true;
  }
}
