import { z } from 'zod';
import { suggest } from './suggest.js';
import { formatDuration, formatSize, type Parsed, parseBytes, parseDurationMs, quote } from './units.js';

/**
 * The kinds of values a setting can have, each with messages that say what to write. Every type names itself in
 * JSON Schema's words (`z.toJSONSchema(…, { io: 'input' })`), so nothing here is `z.any()`.
 */

type IssueError = (issue: { input?: unknown; code?: string }) => string | undefined;

/** Marks what is absent and has no default; `load` collects these into one example. */
export const MISSING = 'is not set';

function wrongType(expected: string): IssueError {
  return ({ input }) => (input === undefined ? MISSING : `must be ${expected}, not ${kindOf(input)}`);
}

/** Text, not empty, without control characters. */
export function text(what: string, rule?: { pattern: RegExp; says: string }) {
  const plain = z
    .string({
      error: ({ input }) => {
        if (input === undefined) return MISSING;
        if (typeof input === 'number' || typeof input === 'boolean') {
          return `must be text: write it in quotes, "${input}"`;
        }
        return `must be ${what}, not ${kindOf(input)}`;
      },
    })
    .min(1, { error: `must be ${what}, not empty`, abort: true })
    .regex(/^[^\p{Cc}]+$/u, { error: 'must be on one line, without control characters', abort: true });
  if (rule === undefined) return plain;
  return plain.regex(rule.pattern, { error: ({ input }) => `${rule.says}, not ${quote(input)}` });
}

/** Milliseconds, written with a unit. */
export function duration(range: { minMs: number; maxMs: number }) {
  return withUnit(
    parseDurationMs,
    formatDuration,
    'a duration such as 500ms, 10s or 5m',
    range.minMs,
    range.maxMs,
  );
}

/** Bytes, written with a unit. */
export function size(range: { minBytes: number; maxBytes: number }) {
  return withUnit(parseBytes, formatSize, SIZE, range.minBytes, range.maxBytes);
}

/** Bytes, or `auto`. Not a union: that would hide what is wrong with a size behind "neither". */
export function sizeOrAuto(range: { minBytes: number; maxBytes: number }) {
  const parse = (input: string | number): Parsed => {
    if (input === 'auto') return { ok: true, value: AUTO };
    const parsed = parseBytes(input);
    return parsed.ok ? parsed : { ok: false, message: parsed.message.replace(SIZE, `auto or ${SIZE}`) };
  };
  return withUnit(parse, formatSize, `auto or ${SIZE}`, range.minBytes, range.maxBytes).transform((value) =>
    value === AUTO ? ('auto' as const) : value,
  );
}

const SIZE = 'a size such as 64KiB, 16MiB or 1GiB';
/** Stands for `auto` inside a number; no size is it. */
const AUTO = Number.POSITIVE_INFINITY;

function withUnit(
  parse: (input: string | number) => Parsed,
  format: (value: number) => string,
  what: string,
  min: number,
  max: number,
) {
  const error: IssueError = ({ input }) => {
    if (typeof input !== 'number') return wrongType(what)({ input });
    const parsed = parse(input);
    return parsed.ok ? undefined : parsed.message;
  };
  return z.string({ error }).transform((input, context) => {
    const parsed = parse(input);
    if (parsed.ok && (parsed.value === AUTO || (parsed.value >= min && parsed.value <= max)))
      return parsed.value;
    const range = `must lie between ${format(min)} and ${format(max)}, not ${input.trim()}`;
    context.addIssue({ code: 'custom', input, message: parsed.ok ? range : parsed.message });
    return z.NEVER;
  });
}

/** A whole number in a range. */
export function count(min: number, max: number) {
  const error: IssueError = ({ input }) =>
    input === undefined ? MISSING : `must be a whole number from ${min} to ${max}, not ${shown(input)}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A part of 1, or `off`. */
export function fractionOrOff() {
  const error: IssueError = ({ input }) =>
    input === undefined ? MISSING : `must be a number from 0 to 1 or off, not ${shown(input)}`;
  return z.union([z.literal('off'), z.number().min(0, { error }).max(1, { error })], { error });
}

/** `auto`, or what the setting is otherwise. */
export function orAuto<T extends z.ZodType>(type: T, otherwise: string) {
  return z.union([z.literal('auto'), type], {
    error: ({ input }) => `must be auto or ${otherwise}, not ${shown(input)}`,
  });
}

/** `off`, or what the setting is otherwise. */
export function orOff<T extends z.ZodType>(type: T, otherwise: string) {
  return z.union([z.literal('off'), type], {
    error: ({ input }) => `must be off or ${otherwise}, not ${shown(input)}`,
  });
}

/** Names, in an order that counts. */
export function names(what: string) {
  return z.array(text(what), { error: ({ input }) => `must be a list of names, not ${shown(input)}` });
}

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, {
    error: ({ input }) => {
      if (input === undefined) return MISSING;
      const near = typeof input === 'string' ? suggest(input, words) : undefined;
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      return `must be one of ${words.join(', ')}, not ${shown(input)}${hint}`;
    },
  });
}

/** A group of settings; absent is the same as empty. */
export function section<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: ({ input, code }) =>
      code === 'invalid_type' ? `must be a map of settings, not ${kindOf(input)}` : undefined,
  });
}

/** Properties handed on by name: scalars, whose values are never shown. */
export function properties(refuse: (name: string) => string | undefined) {
  const scalar = z.union([z.string(), z.number(), z.boolean()], {
    error: 'must be text, a number, true or false',
  });
  return z
    .record(z.string(), scalar, {
      error: ({ input, code }) =>
        code === 'invalid_type' ? `must be a map of properties, not ${kindOf(input)}` : undefined,
    })
    .superRefine((map, context) => {
      for (const name of Object.keys(map)) {
        const message = refuse(name);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
      }
    });
}

/** What somebody wrote, short; never the inside of a map or list. */
function shown(input: unknown): string {
  return typeof input === 'object' && input !== null ? kindOf(input) : quote(input);
}

export function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (input === null || input === undefined) return 'nothing';
  if (typeof input === 'object') return 'a map';
  if (typeof input === 'string') return 'text';
  return `a ${typeof input === 'boolean' ? 'yes or no' : typeof input}`;
}

const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;

/** One broker address; the message says what to write. */
export function brokerProblem(address: string): string | undefined {
  if (address.includes('@')) return 'an address is host:port, without user or password';
  if (address.includes('://')) return `${quote(address)}: write host:port, without a protocol`;
  const match = HOST_AND_PORT.exec(address);
  if (match === null) {
    const bare = /^[A-Za-z0-9._-]+$/.test(address);
    return bare
      ? `${quote(address)} has no port: write ${address}:9092`
      : `${quote(address)} is not host:port`;
  }
  const port = Number(match[2]);
  return port >= 1 && port <= 65_535 ? undefined : `${quote(address)}: a port lies between 1 and 65535`;
}

/** A list of addresses, or all of them in one text with commas. */
export function brokers() {
  const error: IssueError = ({ input }) =>
    input === undefined
      ? MISSING
      : `must be host:port, a list of them, or several with commas, not ${kindOf(input)}`;
  return z.union([z.string(), z.array(z.string())], { error }).transform((input, context) => {
    const parts = (typeof input === 'string' ? input.split(',') : input).map((part) => part.trim());
    const addresses = [...new Set(parts.filter((part) => part !== ''))];
    if (addresses.length === 0)
      context.addIssue({ code: 'custom', message: 'must name at least one host:port' });
    for (const address of addresses) {
      const message = brokerProblem(address);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    }
    return addresses;
  });
}
