import { createRequire } from 'node:module';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { compileModel } from '#src/model/compile.js';
import type { CompiledModel, DeadLetter, Row } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { parseValue } from '#src/reference/value.js';

const lz4 = createRequire(import.meta.url)('lz4-napi') as typeof import('lz4-napi');
const LIMIT = 2 ** 20;
const AT_MS = Date.parse('2026-03-01T10:00:00Z');

function modelOf(value: CompiledModel['valueFormat'] | null): CompiledModel {
  return compileModel(
    `name: m
key: user
time: { field: at, format: epoch_ms }
${value === null ? '' : `value: ${value}`}
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  page: { type: string }
columns:
  session_id: { op: session_id, template: "{key}" }
  user: { op: key }
  session_start: { op: session_start }
  events: { op: count }
  pages: { op: list, field: page, limit: 10 }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`,
    'm.yaml',
  );
}

const event = (page: string, offsetMs = 0) => ({ user: 'u', at: AT_MS + offsetMs, page });
const framed = (content: Uint8Array | string) =>
  Buffer.concat([Buffer.of(0, 0, 0, 0, 17), Buffer.from(content)]);

describe('the value of a model', () => {
  it('is JSON unless it says otherwise, and only then it is in the hash', () => {
    expect(modelOf(null).valueFormat).toBe('json');
    expect(modelOf(null).hash).toBe(modelOf('json').hash);
    const hashes = [modelOf('json'), modelOf('json_schema_registry'), modelOf('msgpack')].map(
      ({ hash }) => hash,
    );
    expect(new Set(hashes).size).toBe(3);
    expect(() => modelOf('avro' as never)).toThrow(/must be json, json_schema_registry or msgpack/);
  });
});

describe('a schema registry’s framing', () => {
  const model = modelOf('json_schema_registry');
  const parse = (value: Uint8Array | null) => parseValue(model, value, -1, LIMIT)[0]!;

  it('is stripped from JSON', () => {
    expect(parse(framed(JSON.stringify(event('/a'))))).toMatchObject({ ok: true, timeMs: AT_MS });
    expect(parse(framed('{"user":'))).toMatchObject({ reason: 'malformed', detail: 'not JSON' });
    expect(parse(framed('[]'))).toMatchObject({ reason: 'malformed', detail: 'not a JSON object' });
    expect(parse(null)).toMatchObject({ reason: 'malformed', detail: 'no value' });
  });

  it.each([
    ['plain JSON', Buffer.from(JSON.stringify(event('/a'))), 'undecodable', /plain JSON.*value: json/],
    ['another magic byte', Buffer.of(1, 0, 0, 0, 17, 0x7b, 0x7d), 'undecodable', /no framing/],
    ['no more than the framing', framed(''), 'undecodable', /nothing behind it/],
    ['less than the framing', Buffer.of(0, 0, 0), 'undecodable', /nothing behind it/],
    ['Protobuf', framed(Buffer.of(0, 0x0a, 1, 0x75)), 'unsupported', /Protobuf by its bytes, of schema 17/],
    [
      'Avro',
      framed(Buffer.of(0x02, 0x75, 0x0e)),
      'unsupported',
      /Avro or Protobuf by its bytes, of schema 17/,
    ],
  ] as const)('says what it is when it is %s', (_, value, reason, detail) => {
    expect(parse(value)).toMatchObject({ ok: false, reason, detail: expect.stringMatching(detail) });
  });
});

describe('messages of events', () => {
  const model = modelOf('msgpack');
  const laneOf = () => {
    const letters: DeadLetter[] = [];
    const rows: Row[] = [];
    const lane = new ReferenceLane(model, {
      row: (row) => rows.push(row),
      deadLetter: (l) => letters.push(l),
    });
    let offset = 0n;
    const take = (value: Uint8Array | null) =>
      lane.accept({ offset: offset++, timestampMs: -1, key: null, value, tooLarge: false, bytesMax: LIMIT });
    const sessions = () => {
      lane.applyMarks({ endOfInput: true });
      return rows.map((row) => [row[3], row[4]]);
    };
    return { letters, take, sessions };
  };

  it('are one event, or several with the message’s offset in their order, also in LZ4 frames', () => {
    const { take, sessions, letters } = laneOf();
    expect(take(pack(event('/a')))).toBe(1);
    expect(take(pack([event('/b'), event('/c'), event('/d', -1)]))).toBe(3);
    expect(take(pack([]))).toBe(0);
    expect(take(lz4.compressFrameSync(Buffer.from(pack([event('/e'), event('/f')]))))).toBe(2);
    expect(letters).toEqual([]);
    expect(sessions()).toEqual([[6, ['/d', '/a', '/b', '/c', '/e', '/f']]]);
  });

  it('with a bad event give the others, and a letter that says which and holds it alone', () => {
    const { take, sessions, letters } = laneOf();
    take(pack([event('/a'), { user: 'u', page: '/b' }, 7, event('/c')]));
    expect(letters).toMatchObject([
      { reason: 'missing_field', detail: 'event 1: at is missing', offset: 0n, item: 1 },
      { reason: 'malformed', detail: 'event 2: not a map', offset: 0n, item: 2 },
    ]);
    expect(Buffer.from(letters[0]!.value!)).toEqual(Buffer.from(pack({ user: 'u', page: '/b' })));
    expect(Buffer.from(letters[1]!.value!)).toEqual(Buffer.of(7));
    expect(sessions()).toEqual([[2, ['/a', '/c']]]);
  });

  it('that can’t be read to their end give no event at all', () => {
    const { take, sessions, letters } = laneOf();
    const bytes = pack([event('/a'), event('/b')]);
    expect(take(bytes.subarray(0, bytes.length - 1))).toBe(1);
    const frame = lz4.compressFrameSync(Buffer.from(bytes));
    take(frame.subarray(0, frame.length - 5));
    take(lz4.compressFrameSync(Buffer.alloc(LIMIT + 2 ** 16)));
    expect(letters.map(({ reason, item }) => [reason, item])).toEqual([
      ['undecodable', undefined],
      ['undecodable', undefined],
      ['too_large', undefined],
    ]);
    expect(Buffer.from(letters[0]!.value!)).toEqual(Buffer.from(bytes.subarray(0, bytes.length - 1)));
    expect(sessions()).toEqual([]);
  });

  it('late in part give a letter of that part', () => {
    const { take, letters } = laneOf();
    take(pack([event('/a'), event('/b', 86_400_000), event('/late', 1)]));
    expect(letters).toMatchObject([
      { reason: 'late', item: 2, detail: expect.stringMatching(/^event 2: \d+ ms behind the watermark$/) },
    ]);
  });

  it('may carry their time as a time', () => {
    const [parsed] = parseValue(model, pack({ user: 'u', at: new Date(AT_MS + 7) }), -1, LIMIT);
    expect(parsed).toMatchObject({ ok: true, timeMs: AT_MS + 7 });
    const [old] = parseValue(model, pack({ user: 'u', at: new Date(-1) }), -1, LIMIT);
    expect(old).toMatchObject({ ok: false, reason: 'wrong_type' });
    const [page] = parseValue(model, pack({ user: 'u', at: AT_MS, page: new Date(1) }), -1, LIMIT);
    expect(page).toMatchObject({ ok: false, reason: 'wrong_type', detail: 'page is not of type string' });
  });
});
