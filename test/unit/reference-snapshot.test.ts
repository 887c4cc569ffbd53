import { crc32c } from '@node-rs/crc32';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { seededRandom } from '#src/random.js';
import {
  checkSnapshot,
  decodeSnapshot,
  decodeSnapshotInTurns,
  encodeSnapshot,
  type SnapshotMeta,
} from '#src/reference/snapshot.js';
import { SnapshotWriter } from '#src/reference/snapshot-writer.js';
import type { Turns } from '#src/reference/turns.js';

const META: SnapshotMeta = {
  modelHash: 'a'.repeat(64),
  appId: 'headrace/g/t/id/3',
  partition: 3,
  offset: 2n ** 60n + 1n,
  cutId: '9223372036854775807',
};
const CONTENT = Buffer.from('what a lane knows, '.repeat(20));
const CHUNK_BYTES = 4 * 2 ** 20;

function reason(bytes: Uint8Array, expected: SnapshotMeta = META): string {
  try {
    decodeSnapshot(bytes, expected);
  } catch (error) {
    expect(error).toBeInstanceOf(HeadraceError);
    expect((error as HeadraceError).code).toBe('SNAPSHOT_UNUSABLE');
    return (error as HeadraceError).message;
  }
  throw new Error('it was accepted');
}

/** What is wrong with it, also to one that does not look at its content. */
function reasonUnopened(bytes: Uint8Array, expected: SnapshotMeta = META): string {
  const message = reason(bytes, expected);
  expect(() => checkSnapshot(bytes, expected)).toThrow(message);
  return message;
}

/** Another snapshot whose checksum is right. */
function forge(bytes: Uint8Array, change: (copy: Buffer) => void): Uint8Array {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeUInt32LE(crc32c(copy.subarray(16), crc32c(copy.subarray(0, 12))), 12);
  return copy;
}

/** Where the first chunk begins. */
function chunksAt(bytes: Uint8Array): number {
  return 20 + Buffer.from(bytes).readUInt32LE(16);
}

describe('a snapshot', () => {
  it('gives back the content that it was made of', () => {
    expect(Buffer.from(decodeSnapshot(encodeSnapshot(CONTENT, META), META))).toEqual(CONTENT);
    expect(checkSnapshot(encodeSnapshot(CONTENT, META), META)).toBeUndefined();
  });

  it('of nothing is one too', () => {
    const empty = encodeSnapshot(new Uint8Array(0), META);
    expect(decodeSnapshot(empty, META)).toHaveLength(0);
    expect(chunksAt(empty)).toBe(empty.length);
  });

  it.each([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 5])(
    'of %i bytes comes back whole, however many chunks it takes',
    (bytes) => {
      const random = seededRandom(bytes);
      const content = Buffer.alloc(bytes, 'x');
      for (let at = 0; at < bytes; at += 64) content.writeUInt8(random.below(256), at);
      const back = decodeSnapshot(encodeSnapshot(content, META), META);
      expect(Buffer.compare(back, content)).toBe(0);
    },
  );

  it('is the same when it is made bit by bit, its chunks compressed beside', async () => {
    const content = Buffer.alloc(2 * CHUNK_BYTES + 5, 'x');
    for (let at = 0; at < content.length; at += 100) content.writeUInt32LE(at, at);
    let compressed = 0;
    const turns: Turns = {
      turn: async () => {},
      aside: (work) => {
        compressed++;
        return work;
      },
    };
    const writer = new SnapshotWriter(META, turns);
    const part = Buffer.alloc(100_003);
    for (let at = 0; at < content.length; at += part.length) {
      const bytes = content.copy(part, 0, at);
      await writer.add(part.subarray(0, bytes));
      part.fill('!'); // it took a copy
    }
    const file = await writer.finish();
    expect(Buffer.compare(file, encodeSnapshot(content, META))).toBe(0);
    expect(compressed).toBe(3);
    expect(Buffer.compare(await decodeSnapshotInTurns(file, META, turns), content)).toBe(0);
    expect(compressed).toBe(6);
  });

  it('whose chunk is damaged behind a right checksum is unusable also when it is decompressed beside', async () => {
    const turns: Turns = { turn: async () => {}, aside: (work) => work };
    const bytes = encodeSnapshot(CONTENT, META);
    for (const [at, wanted] of [
      [4, /chunk is too large|cut off|chunks are missing/],
      [8, /LZ4 frame/],
    ] as const) {
      const bad = forge(bytes, (copy) =>
        copy.writeUInt8(copy[chunksAt(bytes) + at]! ^ 1, chunksAt(bytes) + at),
      );
      await expect(decodeSnapshotInTurns(bad, META, turns)).rejects.toThrow(wanted);
      expect(reason(bad)).toMatch(wanted);
    }
  });

  it('of nothing that comes bit by bit is one too', async () => {
    const turns: Turns = { turn: async () => {}, aside: (work) => work };
    expect(await new SnapshotWriter(META, turns).finish()).toEqual(encodeSnapshot(new Uint8Array(0), META));
  });

  it('may lie anywhere in its buffer', () => {
    const bytes = encodeSnapshot(CONTENT.subarray(3), META);
    const moved = new Uint8Array(bytes.length + 13);
    moved.set(bytes, 7);
    const back = decodeSnapshot(moved.subarray(7, 7 + bytes.length), META);
    expect(Buffer.from(back)).toEqual(CONTENT.subarray(3));
  });
});

describe('a snapshot is unusable', () => {
  const bytes = encodeSnapshot(CONTENT, META);

  it('for any other lane, offset, cut or model, and says which', () => {
    const others: [keyof SnapshotMeta, SnapshotMeta][] = [
      ['modelHash', { ...META, modelHash: 'b'.repeat(64) }],
      ['appId', { ...META, appId: 'headrace/g/t/another/3' }],
      ['partition', { ...META, partition: 4 }],
      ['offset', { ...META, offset: META.offset + 1n }],
      ['cutId', { ...META, cutId: '1' }],
    ];
    for (const [name, expected] of others) {
      expect(reasonUnopened(bytes, expected)).toContain(`its ${name} is`);
    }
  });

  it('when it is cut off anywhere', () => {
    for (let length = 0; length < bytes.length; length++) reasonUnopened(bytes.subarray(0, length));
  });

  it('when any one byte is another', () => {
    for (let at = 0; at < bytes.length; at++) {
      const copy = Uint8Array.from(bytes);
      copy[at]! ^= 1 << (at % 8);
      reasonUnopened(copy);
    }
  });

  it('when something follows it', () => {
    expect(reason(Buffer.concat([bytes, Buffer.of(0)]))).toContain('CRC');
  });

  it('in another format version', () => {
    expect(reason(forge(bytes, (copy) => copy.writeUInt32LE(1, 8)))).toContain('format version 1');
  });

  it('when it lies with a right checksum: lengths are not believed', () => {
    const at = chunksAt(bytes);
    const lies: ((copy: Buffer) => void)[] = [
      (copy) => copy.writeUInt32LE(0xffff_ffff, 16),
      (copy) => copy.writeUInt32LE(0xffff_ffff, at),
      (copy) => copy.writeUInt32LE(copy.readUInt32LE(at) - 1, at),
      (copy) => copy.writeUInt32LE(0xffff_ffff, at + 4),
      (copy) => copy.fill(0xdd, at + 8, at + 12),
    ];
    for (const lie of lies) expect(reason(forge(bytes, lie))).not.toContain('CRC-32C differs');
  });

  it('when a chunk says that it holds more than its frame can: nothing is allocated for it', () => {
    const at = chunksAt(bytes);
    const lie = forge(bytes, (copy) => copy.writeUInt32LE(CHUNK_BYTES, at));
    expect(reason(lie)).toContain('a chunk is too large');
  });

  it('when chunks are missing from it', () => {
    const cut = bytes.subarray(0, chunksAt(bytes));
    expect(reason(forge(cut, () => {}))).toContain('chunks are missing');
  });
});
