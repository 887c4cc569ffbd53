import { crc32c } from '@node-rs/crc32';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import type { LaneState } from '#src/reference/lane.js';
import { decodeSnapshot, encodeSnapshot, type SnapshotMeta } from '#src/reference/snapshot.js';
import { LaneProbe, tinyModel } from '../support/reference-lane.js';

const META: SnapshotMeta = {
  modelHash: 'a'.repeat(64),
  appId: 'headrace/g/t/id/3',
  partition: 3,
  offset: 2n ** 60n + 1n,
  cutId: '9223372036854775807',
};

/** Sessions open, closed, ended, split, with standing rows, and offsets that no number holds. */
function richState(): LaneState {
  const probe = new LaneProbe(tinyModel({ disorder: '60s' }));
  probe.offset = 2n ** 62n + 1n;
  probe.send({ user: 'u', at: 0, page: 'ä\u{1F600}' }, { user: 'u', at: 1, page: null, price: -1.5 });
  probe.send({ user: 'v', at: 2, type: 'end' }, { user: 'v', at: 1 }, { user: 'v', at: 40 });
  probe
    .marks({ early: true })
    .send({ user: 'u', at: 9, page: 'x' })
    .marks({ idleWatermarkMs: Date.UTC(2026, 0, 1) + 15_000 });
  return probe.lane.snapshot();
}

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

/** Another snapshot whose checksum is right. */
function forge(bytes: Uint8Array, change: (copy: Buffer) => void): Uint8Array {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeUInt32LE(crc32c(copy.subarray(16), crc32c(copy.subarray(0, 12))), 12);
  return copy;
}

describe('a snapshot', () => {
  it('gives back the state that it was made of, offsets and row values exactly', () => {
    const state = richState();
    expect(state.keys.flatMap((key) => key.sessions).map((session) => session.closed)).toContain(true);
    expect(decodeSnapshot(encodeSnapshot(state, META), META)).toEqual(state);
  });

  it('of a lane that has seen nothing is one too', () => {
    const empty: LaneState = { watermarkMs: null, keys: [] };
    expect(decodeSnapshot(encodeSnapshot(empty, META), META)).toEqual(empty);
  });

  it('of many keys is more than one chunk and comes back whole', () => {
    const probe = new LaneProbe();
    for (let user = 0; user < 6_000; user++) probe.send({ user: `user ${user}`, at: 0, page: 'p' });
    const state = probe.lane.snapshot();
    expect(decodeSnapshot(encodeSnapshot(state, META), META)).toEqual(state);
  });

  it('holds numbers up to 2^53 and integers of 64 bits', () => {
    const state = richState();
    const standing = state.keys[0]!.sessions[0]!.standing[0]!;
    standing.row[0] = Number.MAX_SAFE_INTEGER;
    standing.row[1] = 2n ** 63n - 1n;
    standing.row[2] = 1n;
    standing.row[3] = 0.1;
    expect(decodeSnapshot(encodeSnapshot(state, META), META)).toEqual(state);
  });
});

describe('a snapshot is unusable', () => {
  const bytes = encodeSnapshot(richState(), META);

  it('for any other lane, offset, cut or model, and says which', () => {
    const others: [keyof SnapshotMeta, SnapshotMeta][] = [
      ['modelHash', { ...META, modelHash: 'b'.repeat(64) }],
      ['appId', { ...META, appId: 'headrace/g/t/another/3' }],
      ['partition', { ...META, partition: 4 }],
      ['offset', { ...META, offset: META.offset + 1n }],
      ['cutId', { ...META, cutId: '1' }],
    ];
    for (const [name, expected] of others) expect(reason(bytes, expected)).toContain(`its ${name} is`);
  });

  it('when it is cut off anywhere', () => {
    for (let length = 0; length < bytes.length; length++) reason(bytes.subarray(0, length));
  });

  it('when any one byte is another', () => {
    for (let at = 0; at < bytes.length; at++) {
      const copy = Uint8Array.from(bytes);
      copy[at]! ^= 1 << (at % 8);
      reason(copy);
    }
  });

  it('when something follows it', () => {
    expect(reason(Buffer.concat([bytes, Buffer.of(0)]))).toContain('CRC');
  });

  it('in another format version', () => {
    expect(reason(forge(bytes, (copy) => copy.writeUInt32LE(2, 8)))).toContain('format version 2');
  });

  it('when it lies with a right checksum: lengths are not believed', () => {
    const metaEnd = 20 + Buffer.from(bytes).readUInt32LE(16);
    const lies: ((copy: Buffer) => void)[] = [
      (copy) => copy.writeUInt32LE(0xffff_ffff, 16),
      (copy) => copy.writeUInt32LE(0xffff_ffff, metaEnd),
      (copy) => copy.writeUInt32LE(copy.readUInt32LE(metaEnd) - 1, metaEnd),
      (copy) => copy.writeUInt32LE(0xffff_ffff, metaEnd + 4),
      (copy) => copy.fill(0xdd, metaEnd + 24, metaEnd + 40),
    ];
    for (const lie of lies) expect(reason(forge(bytes, lie))).not.toContain('CRC-32C differs');
  });

  it('when keys are missing from it', () => {
    const metaEnd = 20 + Buffer.from(bytes).readUInt32LE(16);
    expect(reason(forge(bytes.subarray(0, metaEnd), () => {}))).toContain('keys are missing');
  });
});
