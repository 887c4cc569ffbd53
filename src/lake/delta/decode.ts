import { z } from 'zod';
import { HeadraceError, type Where } from '../../errors.js';
import type { Action, Protocol } from './actions.js';
import { decodePath, versionPath } from './path.js';

/**
 * A version's file → its actions. What the protocol calls required must be there with its type; fields and actions that
 * are not known are kept, as the protocol wants it. A table whose protocol asks for more than we can do is refused here,
 * before anything of it is used.
 */

/** What we write, and the most that we read and write correctly. */
export const READER_VERSION = 1;
export const WRITER_VERSION = 2;

const wholeNumber = z.number().int();
/** Also beyond 2⁵³, where a number holds it no longer exactly: its digits are taken from the text then. */
const anyLong = z.union([z.number().refine(Number.isInteger, 'expected a whole number'), z.bigint()]);
const partitionValues = z.record(z.string(), z.string().nullable());
/** Other writers give null for what they leave out. */
const optional = <T extends z.ZodType>(type: T) =>
  type
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();

const SHAPES = {
  commitInfo: z.looseObject({ timestamp: optional(wholeNumber), operation: optional(z.string()) }),
  protocol: z.looseObject({
    minReaderVersion: wholeNumber,
    minWriterVersion: wholeNumber,
    readerFeatures: optional(z.array(z.string())),
    writerFeatures: optional(z.array(z.string())),
  }),
  metaData: z.looseObject({
    id: z.string(),
    name: optional(z.string()),
    description: optional(z.string()),
    format: z.looseObject({ provider: z.string() }),
    schemaString: z.string(),
    partitionColumns: z.array(z.string()),
    configuration: optional(z.record(z.string(), z.string())).transform((value) => value ?? {}),
    createdTime: optional(wholeNumber),
  }),
  txn: z.looseObject({ appId: z.string(), version: anyLong, lastUpdated: optional(wholeNumber) }),
  add: z.looseObject({
    path: z.string(),
    partitionValues,
    size: wholeNumber,
    modificationTime: wholeNumber,
    dataChange: z.boolean(),
    stats: optional(z.string()),
    tags: optional(z.record(z.string(), z.string().nullable())),
  }),
  remove: z.looseObject({
    path: z.string(),
    deletionTimestamp: optional(wholeNumber),
    dataChange: z.boolean(),
    extendedFileMetadata: optional(z.boolean()),
    partitionValues: optional(partitionValues),
    size: optional(wholeNumber),
  }),
} as const;

/** @throws HeadraceError LAKE_LOG_CORRUPT, or LAKE_NOT_OURS for a protocol that is beyond us */
export function decodeVersion(version: number, bytes: Uint8Array): Action[] {
  const where = { version, path: versionPath(version) };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw corrupt('a log file is not UTF-8', where, cause);
  }
  const actions = decodeActions(text.split('\n'), where);
  if (actions.length === 0) throw corrupt('a log file is empty', where);
  return actions;
}

/** One action a line; empty ones are left out. Throws as decodeVersion does. */
function decodeActions(lines: readonly string[], where: Where): Action[] {
  const actions: Action[] = [];
  lines.forEach((line, index) => {
    if (line.trim() !== '') actions.push(decodeLine(line, { ...where, line: index + 1 }));
  });
  return actions;
}

function decodeLine(line: string, where: Where): Action {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw corrupt('a line of the log is not JSON', where, cause);
  }
  const keys =
    typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? Object.keys(parsed) : [];
  const name = keys[0];
  if (name === undefined || keys.length !== 1) {
    throw corrupt('a line of the log is not one action', where);
  }
  return decodeAction(name, (parsed as Record<string, unknown>)[name], where, line);
}

/** One action of a kind. `line`: of JSON, where it comes from one. Throws as decodeVersion does. */
export function decodeAction(name: string, value: unknown, where: Where, line = ''): Action {
  if (!Object.hasOwn(SHAPES, name)) return { unknown: { name, value } };
  const checked = SHAPES[name as keyof typeof SHAPES].safeParse(value);
  if (!checked.success) {
    const issue = checked.error.issues[0]!;
    throw corrupt(`a log entry is malformed: ${[name, ...issue.path].join('.')}: ${issue.message}`, where);
  }
  return finish({ [name]: checked.data } as unknown as Action, line, where);
}

function finish(action: Action, line: string, where: Where): Action {
  if ('protocol' in action) refuseProtocol(action.protocol, where);
  if ('txn' in action)
    return { txn: { ...action.txn, version: exactVersion(action.txn.version, line, where) } };
  if ('add' in action) return { add: { ...action.add, path: decodePath(action.add.path) } };
  if ('remove' in action) return { remove: { ...action.remove, path: decodePath(action.remove.path) } };
  return action;
}

/** `version` is what JSON.parse made of it. Inside a string its name would have backslashes before the quotes. */
function exactVersion(version: number | bigint, line: string, where: Where): bigint {
  if (typeof version === 'bigint') return version;
  if (Number.isSafeInteger(version)) return BigInt(version);
  const digits = /"version"\s*:\s*(-?\d+)\s*[,}]/.exec(line)?.[1];
  if (digits === undefined || BigInt.asIntN(64, BigInt(digits)) !== BigInt(digits)) {
    throw corrupt('the version of a transaction is not a 64-bit number', where);
  }
  return BigInt(digits);
}

function refuseProtocol(protocol: Protocol, where: Where): void {
  const { minReaderVersion, minWriterVersion } = protocol;
  if (minReaderVersion <= READER_VERSION && minWriterVersion <= WRITER_VERSION) return;
  const features = [...new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])])];
  throw new HeadraceError(
    'LAKE_NOT_OURS',
    `the table asks for Delta protocol ${minReaderVersion}/${minWriterVersion}, this version of headrace knows up to ` +
      `${READER_VERSION}/${WRITER_VERSION}`,
    {
      where: { ...where, features: features.length === 0 ? undefined : features.join(',') },
      remedy:
        'another tool has raised the protocol or switched table features on: drop those features with it, or give ' +
        'headrace a table of its own',
    },
  );
}

function corrupt(message: string, where: Where, cause?: unknown): HeadraceError {
  return new HeadraceError('LAKE_LOG_CORRUPT', message, {
    where,
    remedy: 'restore this file from a copy of the table; nothing was written',
    ...(cause === undefined ? {} : { cause }),
  });
}
