import { createRequire } from 'node:module';
import { Packr } from 'msgpackr';
import type { CompiledModel } from '#src/model/types.js';
import type { BatchCase, RecordCase } from './case.js';
import type { Dice } from './dice.js';

/** JSON records in the other forms that a model may say values have: framed, packed, several in one, and damaged. */

export type ValueFormat = CompiledModel['valueFormat'];

const lz4 = createRequire(import.meta.url)('lz4-napi') as typeof import('lz4-napi');

/** As producers may set the library up. */
const PACKERS: readonly object[] = [
  { useRecords: false },
  { useRecords: false, variableMapSize: true },
  {},
  {},
  { maxOwnStructures: 2 },
  { maxOwnStructures: 128 },
  { useFloat32: 3 },
  { bundleStrings: true },
];

export function inFormat(
  dice: Dice,
  format: ValueFormat,
  log: readonly BatchCase[],
  isBenign: boolean,
): BatchCase[] {
  if (format === 'json') return [...log];
  const hostile = isBenign ? 0 : dice.pick([0, 0.05, 0.3]);
  if (format === 'json_schema_registry') {
    const framed = (record: RecordCase) => ({ ...record, value: frame(dice, record.value, hostile) });
    return log.map((batch) => ({ ...batch, records: batch.records.map(framed) }));
  }
  const several = dice.pick([0, 0.2, 0.8]);
  const frames = dice.pick([0, 0, 0.5]);
  return log.map((batch) => ({ ...batch, records: pack(dice, batch.records, { hostile, several, frames }) }));
}

function frame(dice: Dice, value: Uint8Array | null, hostile: number): Uint8Array | null {
  if (value === null) return null;
  const schema = dice.bytes(4);
  const framed = Buffer.concat([Buffer.of(0), schema, value]);
  if (!dice.chance(hostile)) return framed;
  return dice.weighted<() => Uint8Array>([
    [2, () => value],
    [2, () => framed.subarray(0, dice.below(7))],
    [1, () => Buffer.concat([Buffer.of(dice.below(256)), schema, value])],
    [1, () => Buffer.concat([Buffer.of(0), schema, Buffer.of(0), value])],
    [1, () => Buffer.concat([Buffer.of(0), schema, dice.bytes(dice.below(20))])],
    [1, () => Buffer.concat([Buffer.of(0), schema, framed])],
  ])();
}

interface PackManner {
  hostile: number;
  /** How probable it is that a record takes those behind it into its message. */
  several: number;
  frames: number;
}

/** Records that went into another's message leave holes, as compaction does. */
function pack(dice: Dice, records: readonly RecordCase[], manner: PackManner): RecordCase[] {
  const packed: RecordCase[] = [];
  for (let at = 0; at < records.length; ) {
    const count = dice.chance(manner.several) ? dice.between(0, 8) : null;
    const taken = records.slice(at, at + Math.max(1, count ?? 1));
    at += taken.length;
    packed.push({ ...taken[0]!, value: message(dice, taken, count, manner) });
  }
  return packed;
}

/** `count` null: one event, else an array of so many. */
function message(
  dice: Dice,
  records: readonly RecordCase[],
  count: number | null,
  { hostile, frames }: PackManner,
): Uint8Array | null {
  const events = records.map(({ value }) => eventOf(dice, value));
  if (count === null && records[0]!.value === null) return null;
  const packer = new Packr(dice.pick(PACKERS));
  const list = count === 0 ? [] : events;
  if (dice.chance(hostile)) list.push(dice.pick<unknown>([null, 100, 'x', [], [{}], true, 1.5, { a: 1 }]));
  let bytes: Uint8Array = packer.pack(count === null && list.length === 1 ? list[0] : list);
  if (dice.chance(hostile)) bytes = damaged(dice, bytes);
  if (dice.chance(frames)) {
    bytes = lz4.compressFrameSync(Buffer.from(bytes));
    if (dice.chance(hostile)) bytes = damaged(dice, bytes);
  }
  return new Uint8Array(bytes);
}

/** What the JSON says, with values that JSON lacks; bytes that are no JSON become some of MessagePack. */
function eventOf(dice: Dice, value: Uint8Array | null): unknown {
  if (value === null) return null;
  if (isDeep(value)) return Buffer.from(value);
  try {
    const event = JSON.parse(Buffer.from(value).toString()) as unknown;
    if (typeof event !== 'object' || event === null || !dice.chance(0.2)) return event;
    return Object.fromEntries(
      Object.entries(event).map(([key, inner]) => [key, dice.chance(0.2) ? strange(dice, inner) : inner]),
    );
  } catch {
    return Buffer.from(value);
  }
}

/** The library's packer recurses. */
function isDeep(json: Uint8Array): boolean {
  let depth = 0;
  for (const byte of json) {
    if (byte === 0x5b || byte === 0x7b) depth++;
    if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}

const DEPTH_MAX = 120;

function strange(dice: Dice, value: unknown): unknown {
  return dice.weighted<() => unknown>([
    [3, () => (typeof value === 'string' ? new Date(value) : value)],
    [2, () => (typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value)],
    [1, () => undefined],
    [1, () => new Set([value])],
    [1, () => Buffer.from('bytes')],
    [1, () => new Map([[1, value]])],
    [1, () => [value, { value }]],
    [1, () => 2n ** 63n],
    [1, () => /x/],
    [1, () => new Error('x')],
  ])();
}

function damaged(dice: Dice, bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  return dice.weighted<() => Uint8Array>([
    [3, () => copy.subarray(0, dice.below(copy.length + 1))],
    [3, () => flipped(dice, copy)],
    [1, () => Buffer.concat([copy, dice.bytes(dice.between(1, 4))])],
    [1, () => Buffer.concat([Buffer.of(0xdd, 0x01, 0x31, 0x2d, 0x00), copy])],
  ])();
}

function flipped(dice: Dice, bytes: Uint8Array): Uint8Array {
  for (let times = dice.between(1, 3); times > 0 && bytes.length > 0; times--)
    bytes[dice.below(bytes.length)] = dice.pick([dice.below(256), 0x72, 0x40, 0x92, 0xc1, 0xff, 0x00]);
  return bytes;
}
