import lz4 from 'lz4-napi';
import { describe, expect, it, vi } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { openBatches } from '#src/reference/batch-reader.js';
import { PLAIN_CODECS } from '#src/reference/codecs/plain.js';
import { decodeBatches, eachRecord } from '#src/reference/record-batches.js';
import { type BatchSpec, buildBatch, concatBytes, repairCrc, varint } from '../support/batch-builder.js';
import { controlKey } from '../support/transactional-log.js';

const LIMITS = { decompressedBatchBytesMax: 1 << 20, recordBytesMax: 1 << 16 };

interface Seen {
  offset: bigint;
  timestampMs: number;
  key: string | null;
  value: string | null;
  tooLarge: boolean;
}

function decode(bytes: Uint8Array, fromOffset = 0n, limits = LIMITS) {
  const seen: Seen[] = [];
  const text = (part: Uint8Array | null) => (part === null ? null : Buffer.from(part).toString());
  const decoded = decodeBatches(
    bytes,
    { fromOffset, limits, where: { topic: 't', partition: 3 } },
    ({ offset, timestampMs, key, value, tooLarge, bytesMax }) => {
      expect(bytesMax).toBe(limits.recordBytesMax);
      seen.push({ offset, timestampMs, key: text(key), value: text(value), tooLarge });
    },
  );
  return { ...decoded, seen };
}

function failure(bytes: Uint8Array, fromOffset = 0n, limits = LIMITS): HeadraceError & { delivered: number } {
  let delivered = 0;
  try {
    decodeBatches(bytes, { fromOffset, limits, where: { topic: 't', partition: 3 } }, () => delivered++);
  } catch (error) {
    expect(error).toBeInstanceOf(HeadraceError);
    return Object.assign(error as HeadraceError, { delivered });
  }
  throw new Error('it was accepted');
}

const three: BatchSpec = {
  baseOffset: 40,
  records: [
    { timestampMs: 1_000, key: 'a', value: 'one' },
    {
      timestampMs: 900,
      key: null,
      value: 'two',
      headers: [
        { key: 'h', value: 'x' },
        { key: 'n', value: null },
      ],
    },
    { timestampMs: 5_000_000_000, key: 'c', value: null },
  ],
};

describe.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('a batch with codec %s', (codec) => {
  it('gives its records with offsets, times, keys and values', () => {
    const { seen, nextOffset, batches, records } = decode(buildBatch({ ...three, codec }));
    expect(seen).toEqual([
      { offset: 40n, timestampMs: 1_000, key: 'a', value: 'one', tooLarge: false },
      { offset: 41n, timestampMs: 900, key: null, value: 'two', tooLarge: false },
      { offset: 42n, timestampMs: 5_000_000_000, key: 'c', value: null, tooLarge: false },
    ]);
    expect({ nextOffset, batches, records }).toEqual({ nextOffset: 43n, batches: 1, records: 3 });
  });

  it('is read where it lies in shared memory', () => {
    const batch = buildBatch({ ...three, codec });
    const shared = new Uint8Array(new SharedArrayBuffer(batch.length + 100), 37, batch.length);
    shared.set(batch);
    expect(decode(shared).seen.map((record) => record.value)).toEqual(['one', 'two', null]);
  });

  it('that a fetch began in the middle of gives only the records from the fetched offset on', () => {
    const { seen, nextOffset } = decode(buildBatch({ ...three, codec }), 42n);
    expect(seen.map((record) => record.offset)).toEqual([42n]);
    expect(nextOffset).toBe(43n);
  });

  it('with any other checksum is corrupt', () => {
    const error = failure(buildBatch({ ...three, codec, lies: { crc: 12345 } }), 40n);
    expect(error.code).toBe('BATCH_CORRUPT');
    expect(error.where).toEqual({ topic: 't', partition: 3, offset: 40n });
    expect(error.delivered).toBe(0);
  });

  it('marks a record whose key and value are over the limit, and only that one', () => {
    const batch = buildBatch({
      codec,
      records: [
        { key: 'ab', value: 'x'.repeat(98) },
        { key: 'ab', value: 'x'.repeat(99) },
      ],
    });
    const { seen } = decode(batch, 0n, { ...LIMITS, recordBytesMax: 100 });
    expect(seen.map((record) => record.tooLarge)).toEqual([false, true]);
  });

  it('over the limit of a batch is refused before its records are looked at', () => {
    const batch = buildBatch({ codec, records: [{ value: 'x'.repeat(300_000) }] });
    const error = failure(batch, 0n, { ...LIMITS, decompressedBatchBytesMax: 200_000 });
    expect(error.code).toBe('BATCH_TOO_LARGE');
  });
});

describe('progress', () => {
  it('goes on behind the last offset of a batch, not behind its last record', () => {
    const compacted = buildBatch({
      baseOffset: 100,
      lastOffsetDelta: 9,
      records: [
        { offsetDelta: 2, value: 'x' },
        { offsetDelta: 5, value: 'y' },
      ],
    });
    const { seen, nextOffset } = decode(compacted);
    expect(seen.map((record) => record.offset)).toEqual([102n, 105n]);
    expect(nextOffset).toBe(110n);
  });

  it('passes over an empty batch that compaction left', () => {
    const empty = buildBatch({ baseOffset: 7, lastOffsetDelta: 4 });
    const { records, nextOffset } = decode(
      concatBytes(empty, buildBatch({ baseOffset: 20, records: [{ value: 'x' }] })),
    );
    expect({ records, nextOffset }).toEqual({ records: 1, nextOffset: 21n });
  });

  it('stays where it is when there is no batch or all lie below', () => {
    expect(decode(new Uint8Array(), 5n).nextOffset).toBe(5n);
    expect(decode(buildBatch({ records: [{ value: 'x' }] }), 5n)).toMatchObject({
      nextOffset: 5n,
      records: 0,
    });
  });

  it('holds offsets beyond 2^53 exactly', () => {
    const { seen, nextOffset } = decode(
      buildBatch({ baseOffset: 2n ** 60n + 1n, records: [{ value: 'x' }, { value: 'y' }] }),
    );
    expect(seen.map((record) => record.offset)).toEqual([2n ** 60n + 1n, 2n ** 60n + 2n]);
    expect(nextOffset).toBe(2n ** 60n + 3n);
  });

  it('delivers what lies before a corrupt batch and says where to go on', () => {
    const good = buildBatch({ baseOffset: 10, records: [{ value: 'x' }, { value: 'y' }] });
    const bad = buildBatch({ baseOffset: 12, records: [{ value: 'z' }], lies: { crc: 1 } });
    const error = failure(concatBytes(good, bad), 10n);
    expect(error.delivered).toBe(2);
    expect(error.where.offset).toBe(12n);
  });

  it('delivers nothing of a batch whose last record is bad', () => {
    const error = failure(
      buildBatch({ records: [{ value: 'x' }, { value: 'y', lies: { valueBytes: 50 } }] }),
    );
    expect(error).toMatchObject({ code: 'BATCH_CORRUPT', delivered: 0 });
  });
});

describe('times of records', () => {
  it('are the batch maximum when the broker sets them', () => {
    const { seen } = decode(buildBatch({ ...three, logAppendTime: true, maxTimestampMs: 77_777 }));
    expect(seen.map((record) => record.timestampMs)).toEqual([77_777, 77_777, 77_777]);
  });

  it('stay relative to the base where that holds a delete horizon', () => {
    const batch = buildBatch({
      deleteHorizon: true,
      baseTimestampMs: 9_000,
      records: [{ timestampMs: 1_000, value: 'x' }],
    });
    expect(decode(batch).seen[0]!.timestampMs).toBe(1_000);
  });

  it('beyond what a number holds exactly make a batch corrupt', () => {
    expect(
      failure(buildBatch({ records: [{ value: 'x' }], baseTimestampMs: 2n ** 60n, maxTimestampMs: 0 })).code,
    ).toBe('BATCH_CORRUPT');
  });
});

describe('what is not read is refused by name', () => {
  it('an unknown codec, an old message format', () => {
    const refused: [BatchSpec, RegExp][] = [
      [{ lies: { codec: 5 } }, /codec 5/],
      [{ magic: 1 }, /format 1/],
      [{ magic: 0 }, /format 0/],
    ];
    for (const [spec, said] of refused) {
      const error = failure(buildBatch({ ...three, ...spec }), 40n);
      expect(error).toMatchObject({ code: 'BATCH_UNSUPPORTED', where: { offset: 40n }, delivered: 0 });
      expect(error.message).toMatch(said);
    }
  });
});

describe('transactions', () => {
  const ofSeven = { transactional: true, producerId: 7 };
  const data = (baseOffset: number, value: string): BatchSpec => ({
    ...ofSeven,
    baseOffset,
    records: [{ value }],
  });
  const marker = (baseOffset: number, key: Uint8Array | null): BatchSpec => ({
    ...ofSeven,
    baseOffset,
    control: true,
    records: [{ key, value: Buffer.alloc(6) }],
  });
  const values = (specs: BatchSpec[], aborted: { producerId: bigint; firstOffset: bigint }[] = []) => {
    const seen: string[] = [];
    const bytes = concatBytes(...specs.map(buildBatch));
    const { nextOffset, batches } = decodeBatches(
      bytes,
      { fromOffset: 0n, limits: LIMITS, aborted },
      ({ value }) => seen.push(Buffer.from(value!).toString()),
    );
    expect({ nextOffset, batches }).toEqual({ nextOffset: BigInt(specs.length), batches: specs.length });
    return seen;
  };

  it('that were committed count, and their markers are no events', () => {
    expect(values([data(0, 'a'), marker(1, controlKey(1)), data(2, 'b')])).toEqual(['a', 'b']);
  });

  it('that were aborted do not count, up to their marker', () => {
    const log = [
      data(0, 'a'),
      { ...data(1, 'other'), producerId: 8 },
      marker(2, controlKey(0)),
      data(3, 'b'),
    ];
    expect(values(log, [{ producerId: 7n, firstOffset: 0n }])).toEqual(['other', 'b']);
  });

  it('aborted twice by one producer are told apart', () => {
    const log = [
      data(0, 'a'),
      marker(1, controlKey(0)),
      data(2, 'b'),
      marker(3, controlKey(1)),
      data(4, 'c'),
      marker(5, controlKey(0)),
      data(6, 'd'),
    ];
    const aborted = [4n, 0n].map((firstOffset) => ({ producerId: 7n, firstOffset }));
    expect(values(log, aborted)).toEqual(['b', 'd']);
  });

  it('that were aborted are not decompressed, but what lies in them must be what was sent', () => {
    const batch = buildBatch({ ...data(0, 'a'), codec: 'lz4', lies: { payload: Buffer.from('no frame') } });
    const aborted = [{ producerId: 7n, firstOffset: 0n }];
    const read = () => decodeBatches(batch, { fromOffset: 0n, limits: LIMITS, aborted }, () => {});
    expect(read()).toEqual({ nextOffset: 1n, batches: 1, records: 0 });
    batch[65]! ^= 1;
    expect(read).toThrow(/CRC/);
  });

  it('may have markers of later versions and unknown types, and such that compaction emptied', () => {
    const empty = { ...marker(2, null), lastOffsetDelta: 0, records: [] };
    expect(values([marker(0, controlKey(77)), marker(1, controlKey(-1)), empty, data(3, 'a')])).toEqual([
      'a',
    ]);
  });

  it.each([
    ['without a type', null],
    ['with half a type', Uint8Array.of(0, 0, 0)],
    ['of a negative version', Uint8Array.of(0xff, 0xff, 0, 0)],
  ])('with a marker %s are corrupt', (_name, key) => {
    expect(failure(buildBatch(marker(0, key)))).toMatchObject({ code: 'BATCH_CORRUPT', delivered: 0 });
  });
});

it('opened batches say how many of their records count: none in markers and aborted transactions', () => {
  const ofSeven = { transactional: true, producerId: 7, records: [{ value: 'x' }, { value: 'y' }] };
  const bytes = concatBytes(
    buildBatch({ ...ofSeven, baseOffset: 0 }),
    buildBatch({ ...ofSeven, baseOffset: 2, control: true, records: [{ key: controlKey(0), value: '' }] }),
    buildBatch({ ...ofSeven, baseOffset: 3 }),
  );
  const opened: [bigint, number, number][] = [];
  const aborted = [{ producerId: 7n, firstOffset: 0n }];
  openBatches(bytes, { fromOffset: 0n, limits: LIMITS, aborted }, PLAIN_CODECS, (batch) =>
    opened.push([batch.lastOffset, batch.count, eachRecord(batch, 4n, 9n, () => {})]),
  );
  expect(opened).toEqual([
    [1n, 0, 0],
    [2n, 0, 0],
    [4n, 2, 1],
  ]);
});

describe('a lie is found before it is acted on', () => {
  const one = [{ key: 'k', value: 'v' }];
  const lies: [string, BatchSpec][] = [
    ['a batch length beyond the bytes', { records: one, lies: { batchLength: 1 << 30 } }],
    ['a batch length below the header', { records: one, lies: { batchLength: 10 } }],
    ['a negative batch length', { records: one, lies: { batchLength: -5 } }],
    [
      'a count of two thousand million records',
      { records: one, lastOffsetDelta: 2_000_000_000, lies: { recordsCount: 2_000_000_000 } },
    ],
    ['a negative count', { records: one, lies: { recordsCount: -1 } }],
    ['one record more than there are', { records: one, lastOffsetDelta: 5, lies: { recordsCount: 2 } }],
    ['one record fewer than there are', { records: [...one, ...one], lies: { recordsCount: 1 } }],
    ['more records than offsets', { records: [...one, ...one], lastOffsetDelta: 0 }],
    ['an unknown message format', { records: one, magic: 3 }],
    ['a negative base offset', { baseOffset: -1, records: one }],
    ['a base offset at the end of numbers', { baseOffset: 2n ** 63n - 1n, records: one }],
    ['a negative last offset delta', { records: one, lastOffsetDelta: -1 }],
    ['offsets that repeat', { records: [{ offsetDelta: 1 }, { offsetDelta: 1 }], lastOffsetDelta: 2 }],
    ['a record offset beyond the last', { records: [{ offsetDelta: 9 }], lastOffsetDelta: 2 }],
    ['a record length beyond the batch', { records: [{ value: 'v', lies: { length: 1 << 30 } }] }],
    ['a negative record length', { records: [{ value: 'v', lies: { length: -1 } }] }],
    ['a record longer than its fields', { records: [{ value: 'v', lies: { length: 8 } }, ...one] }],
    ['a key length beyond the record', { records: [{ key: 'k', lies: { keyBytes: 2 ** 31 - 1 } }] }],
    ['a key length of −2', { records: [{ key: 'k', lies: { keyBytes: -2 } }] }],
    ['a value length beyond the record', { records: [{ value: 'v', lies: { valueBytes: 1000 } }, ...one] }],
    ['a header count beyond the record', { records: [{ value: 'v', lies: { headerCount: 2 ** 31 - 1 } }] }],
    ['a negative header count', { records: [{ value: 'v', lies: { headerCount: -1 } }] }],
    [
      'a varint of six bytes',
      { lies: { recordsCount: 1, payload: Uint8Array.of(0x8e, 0x80, 0x80, 0x80, 0x80, 0, 0, 0) } },
    ],
    [
      'a varint over 32 bits',
      { lies: { recordsCount: 1, payload: concatBytes(varint(2 ** 33), new Uint8Array(9)) } },
    ],
    [
      'a varlong of eleven bytes',
      {
        lies: {
          recordsCount: 1,
          payload: concatBytes(
            varint(16),
            Uint8Array.of(0),
            new Uint8Array(10).fill(0x80),
            new Uint8Array(5),
          ),
        },
      },
    ],
    [
      'an LZ4 payload that is none',
      { codec: 'lz4', lies: { recordsCount: 1, payload: Buffer.from('no frame at all') } },
    ],
    [
      'an empty LZ4 payload with records',
      { codec: 'lz4', lies: { recordsCount: 1, payload: new Uint8Array() } },
    ],
  ];
  it.each(lies)('%s', (_name, spec) => {
    expect(failure(buildBatch(spec))).toMatchObject({ code: 'BATCH_CORRUPT', delivered: 0 });
  });

  it('offsets that go back from batch to batch', () => {
    const batch = buildBatch({ baseOffset: 5, records: one });
    expect(failure(concatBytes(batch, batch))).toMatchObject({ code: 'BATCH_CORRUPT', delivered: 1 });
  });
});

describe('LZ4 frames', () => {
  const plain = Buffer.concat([
    Buffer.from(buildBatch({ records: [{ value: 'x'.repeat(200_000) }] })).subarray(61),
  ]);
  const withFrame = (frame: Uint8Array) =>
    buildBatch({ codec: 'lz4', lies: { payload: frame, recordsCount: 1 } });
  const frame = lz4.compressFrameSync(plain, { contentChecksum: true, blockChecksums: true });

  it('are read with block and content checksums', () => {
    expect(decode(withFrame(frame)).records).toBe(1);
  });

  it.each([
    ['without their end mark', () => lz4.compressFrameSync(plain).subarray(0, -4)],
    ['with another frame behind them', () => Buffer.concat([frame, frame])],
    ['with a byte behind them', () => Buffer.concat([frame, Buffer.of(0)])],
    ['with a wrong content checksum', () => flipped(frame, frame.length - 1)],
    ['with a wrong header checksum', () => flipped(frame, 6)],
    ['with a dictionary', () => flipped(frame, 4, 0x01)],
    ['with a block larger than the frame allows', () => flipped(frame, 9, 0x7f)],
  ])('%s are corrupt', (_name, build) => {
    expect(failure(withFrame(build())).code).toBe('BATCH_CORRUPT');
  });

  it('that say another content size than they hold are corrupt', () => {
    const lying = Buffer.concat([
      frame.subarray(0, 4),
      Buffer.of(frame[4]! | 0x08, frame[5]!),
      Buffer.alloc(8),
      frame.subarray(6),
    ]);
    expect(failure(withFrame(lying)).code).toBe('BATCH_CORRUPT');
  });

  it('that would grow two hundred times beyond the limit are refused by their headers', () => {
    const bomb = lz4.compressFrameSync(Buffer.alloc(64 << 20));
    expect(bomb.length).toBeLessThan(1 << 20);
    const decompress = vi.spyOn(lz4, 'decompressFrameSync');
    try {
      decode(withFrame(frame), 0n);
      expect(decompress).toHaveBeenCalledTimes(1);
      expect(failure(withFrame(bomb)).code).toBe('BATCH_TOO_LARGE');
      expect(decompress).toHaveBeenCalledTimes(1);
    } finally {
      decompress.mockRestore();
    }
  });
});

it('a repaired checksum makes a changed batch whole again', () => {
  const batch = buildBatch(three);
  batch[batch.length - 3]! ^= 1;
  expect(failure(batch).code).toBe('BATCH_CORRUPT');
  repairCrc(batch);
  expect(() => decode(batch)).not.toThrow(/CRC/);
});

function flipped(bytes: Uint8Array, at: number, mask = 0xff): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= mask;
  return copy;
}
