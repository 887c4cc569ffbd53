/**
 * As much of ClickHouse's grammar as the front needs: where the data of an INSERT starts, in which format it is, and
 * whether there is one statement or several. Everything else is chDB's own parser's business.
 *
 * Statements are scanned as latin1 text, one character a byte, so that positions are positions in the bytes and data
 * in a binary format can follow.
 */
export interface Statement {
  /** The INSERT that takes its data from behind the statement; null for every other statement. */
  readonly insert: InsertStatement | null;
  /** Name in the FORMAT clause. */
  readonly format: string | null;
  /** Something but white space follows a semicolon. Not looked at behind an INSERT's data. */
  readonly isSeveral: boolean;
}

export interface InsertStatement {
  /** Where `FROM INFILE …` can be put in: before SETTINGS, FORMAT and VALUES. */
  readonly clauseAt: number;
  /** What is put behind it: from `clauseAt` to here, with VALUES written as a format. */
  readonly tail: string;
  /** First byte of the data. */
  readonly dataAt: number;
  /** By VALUES and not by a FORMAT: the data are expressions, and may have query parameters. */
  readonly isValues: boolean;
}

/** Loops unrolled, so that a literal of megabytes needs no stack. */
const TOKEN =
  /\s+|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?\*\/|(?<quoted>'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'|"[^"\\]*(?:(?:\\[\s\S]|"")[^"\\]*)*"|`[^`\\]*(?:(?:\\[\s\S]|``)[^`\\]*)*`|\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$)|(?<word>[A-Za-z_]\w*)|(?<sign>[\s\S])/y;

interface Token {
  /** A word in capitals, a sign as it is, or `quoted`. */
  readonly kind: string;
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

function* tokensOf(text: string): Generator<Token> {
  const pattern = new RegExp(TOKEN);
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { quoted, word, sign } = match.groups!;
    const kind = quoted !== undefined ? 'quoted' : (word?.toUpperCase() ?? sign);
    if (kind !== undefined) yield { kind, text: match[0], at: match.index, end: pattern.lastIndex };
  }
}

const OPENING = new Set(['(', '[', '{']);
const CLOSING = new Set([')', ']', '}']);
/** Blanks, one semicolon and the end of the line behind FORMAT's name are not data. */
const BEFORE_DATA = /[ \t\f]*;?[ \t\f]*(?:\r?\n)?/y;

export function scanStatement(text: string): Statement {
  const insert = scanInsert(text);
  if (insert !== null) return insert;
  let format: string | null = null;
  let previous = '';
  let depth = 0;
  let isEnded = false;
  for (const { kind, text: word } of tokensOf(text)) {
    if (isEnded) return { insert: null, format, isSeveral: true };
    if (OPENING.has(kind)) depth++;
    else if (CLOSING.has(kind)) depth--;
    else if (depth === 0 && kind === ';') isEnded = true;
    else if (depth === 0 && previous === 'FORMAT' && /^\w/.test(word)) format = word;
    previous = kind;
  }
  return { insert: null, format, isSeveral: false };
}

/** An INSERT up to its data, or null when it is another statement, or one that selects. */
function scanInsert(text: string): Statement | null {
  const tokens = tokensOf(text);
  if (tokens.next().value?.kind !== 'INSERT') return null;
  let clauseAt = -1;
  let depth = 0;
  let isName = true;
  for (const { kind, at, end } of tokens) {
    if (OPENING.has(kind)) depth++;
    else if (CLOSING.has(kind)) depth--;
    if (depth > 0 || CLOSING.has(kind)) continue;
    if (isName) {
      // a table may be called `settings`: words that lead to the name, then the name, then perhaps `.name`
      if (kind !== 'INTO' && kind !== 'TABLE' && kind !== 'FUNCTION') isName = false;
      continue;
    }
    if (kind === '.') isName = true;
    else if (kind === 'SELECT' || kind === 'WITH' || kind === 'FROM') return null;
    else if (kind === 'SETTINGS' && clauseAt < 0) clauseAt = at;
    else if (kind === 'VALUES') {
      const tail = `${clauseAt < 0 ? '' : text.slice(clauseAt, at)}FORMAT Values`;
      const insert = { clauseAt: clauseAt < 0 ? at : clauseAt, tail, dataAt: end, isValues: true };
      return { insert, format: 'Values', isSeveral: false };
    } else if (kind === 'FORMAT') {
      const name = tokens.next().value;
      if (name === undefined) return null;
      if (clauseAt < 0) clauseAt = at;
      BEFORE_DATA.lastIndex = name.end;
      BEFORE_DATA.exec(text);
      const tail = text.slice(clauseAt, name.end);
      const insert = { clauseAt, tail, dataAt: BEFORE_DATA.lastIndex, isValues: false };
      return { insert, format: name.text, isSeveral: false };
    }
  }
  return null;
}
