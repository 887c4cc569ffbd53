import { jsonProblemAt, utf8ProblemAt } from './json-problem.js';
import { tryMessage } from './message-look.js';
import { printable, tryText } from './printable.js';

/** A letter's event for people, with a mark at the place for which it was refused, where there is one. */

const MARK = '◀──';
const LINES_MAX = 400;
const AROUND_CHARACTERS = 60;
const HEX_BYTES = 256;
/** Deeper is left out: nobody reads it, and an event may be made to end our stack. */
const DEPTH_MAX = 200;

/** What an event is, as far as its bytes tell. */
export type EventLook =
  | { kind: 'none' }
  | { kind: 'event'; event: unknown; format: string }
  | { kind: 'text'; text: string; problemAt: number | null }
  | { kind: 'bytes'; bytes: Uint8Array; problemAt: number | null };

/** JSON, also behind a schema registry's framing, and MessagePack. */
export function lookAt(value: Uint8Array | null): EventLook {
  if (value === null || value.byteLength === 0) return { kind: 'none' };
  const message = tryMessage(value);
  if (message !== null) return { kind: 'event', ...message };
  const framed = value[0] === 0 && value.byteLength > 5;
  const text = tryText(framed ? value.subarray(5) : value);
  if (text === null) return { kind: 'bytes', bytes: value, problemAt: utf8ProblemAt(value) };
  try {
    const format = framed ? `JSON behind the framing of schema ${schemaIdOf(value)}` : 'JSON';
    return { kind: 'event', event: JSON.parse(text) as unknown, format };
  } catch {
    if (framed) return { kind: 'bytes', bytes: value, problemAt: null };
    return { kind: 'text', text, problemAt: jsonProblemAt(text) };
  }
}

function schemaIdOf(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset).getUint32(1);
}

/** The path that a letter's detail names, or null. */
export function fieldOf(detail: string): string[] | null {
  const match = /^(?:event \d+: )?(\S+) is (?:missing|not of type \w+)$/.exec(detail);
  return match === null ? null : match[1]!.split('.');
}

/** `field`: what of an event has the mark, or null. */
export function eventText(look: EventLook, field: readonly string[] | null, detail: string): string {
  switch (look.kind) {
    case 'none':
      return 'no value';
    case 'event':
      return shortened(markedJson(look.event, field, detail)).join('\n');
    case 'text':
      return aroundText(look.text, look.problemAt);
    case 'bytes':
      return hexText(look.bytes, look.problemAt);
  }
}

/** As JSON.stringify indents, the line of `path` marked; of a path that ends early the last part that is there. */
export function markedJson(event: unknown, path: readonly string[] | null, note: string): string[] {
  const lines: string[] = [];
  let marked = -1;
  const add = (value: unknown, depth: number, head: string, tail: string, left: readonly string[] | null) => {
    // the deepest line that is on the path
    if (left !== null) marked = lines.length;
    const indent = '  '.repeat(depth);
    const isList = Array.isArray(value);
    if (depth > DEPTH_MAX) {
      lines.push(`${indent}${head}…${tail}`);
      return;
    }
    if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
      lines.push(`${indent}${head}${JSON.stringify(value) ?? 'null'}${tail}`);
      return;
    }
    lines.push(`${indent}${head}${isList ? '[' : '{'}`);
    const entries = Object.entries(value);
    for (const [index, [key, inner]] of entries.entries()) {
      const onPath = left !== null && !isList && left[0] === key ? left.slice(1) : null;
      const comma = index < entries.length - 1 ? ',' : '';
      add(inner, depth + 1, isList ? '' : `${JSON.stringify(key)}: `, comma, onPath);
    }
    lines.push(`${indent}${isList ? ']' : '}'}${tail}`);
  };
  add(event, 0, '', '', path);
  return lines.map((line, index) => {
    const shown = printableLine(line);
    return index === marked ? `${shown}   ${MARK} ${printable(note)}` : shown;
  });
}

/** A long event is cut behind the mark or at the limit, whichever comes later. */
function shortened(lines: string[]): string[] {
  if (lines.length <= LINES_MAX) return lines;
  const marked = lines.findIndex((line) => line.includes(MARK));
  const most = Math.max(LINES_MAX, marked + 20);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most), `… ${lines.length - most} more lines; --json has all`];
}

function aroundText(text: string, at: number | null): string {
  if (at === null) return printable(text, 4 * AROUND_CHARACTERS);
  const before = printable(text.slice(Math.max(0, at - AROUND_CHARACTERS), at));
  const behind = printable(text.slice(at, at + AROUND_CHARACTERS));
  const cut = at > AROUND_CHARACTERS ? '…' : '';
  const end = at >= text.length ? 'it ends here' : 'not JSON from here on';
  const place = ' '.repeat([...cut, ...before].length);
  return `${cut}${before}${behind}\n${place}▲ character ${at + 1}: ${end}`;
}

/** 16 bytes a line, the text beside them. */
function hexText(bytes: Uint8Array, at: number | null): string {
  const lines: string[] = [];
  // not before the place, and from the beginning of a line
  const from = at === null ? 0 : Math.max(0, at - 64) & ~15;
  for (let line = from; line < Math.min(bytes.byteLength, from + HEX_BYTES); line += 16) {
    const part = bytes.subarray(line, line + 16);
    const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = Array.from(part, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·',
    ).join('');
    const mark = at !== null && at >= line && at < line + 16 ? `   ${MARK} byte ${at + 1} is not UTF-8` : '';
    lines.push(`${line.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}${mark}`);
  }
  if (from + HEX_BYTES < bytes.byteLength) lines.push(`… of ${bytes.byteLength} bytes`);
  return lines.join('\n');
}

/** Texts of an event may hold what JSON does not escape. */
function printableLine(line: string): string {
  const indent = /^ */.exec(line)![0];
  return indent + printable(line.slice(indent.length));
}
