import assert from 'node:assert/strict';
import { crc32c } from '@node-rs/crc32';
import type { ByteKernel } from '#src/kernel/bytes.js';
import { decompressSnappy } from '#src/reference/codecs/snappy.js';
import { decompressFrame } from '#src/reference/lz4-frame.js';
import { RingConsumer } from '#src/ring/consumer.js';
import { RecordType, type RingPlace, ringBytes } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { compressSnappy } from '../snappy-block.js';
import { type Contender, contender, type Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { KernelBytes } from './kernel-bytes.js';

/** Stages that move bytes without reading events. Their floor: to copy the same bytes. */

const RECORD_BYTES = 256 * 1024;
const RING_BYTES = 4 * 1024 * 1024;
const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;
/** The largest block that an LZ4 frame may have. */
const LZ4_BLOCK_BYTES_MAX = 4 * 1024 * 1024;
/** The check value of CRC-32C in the catalogue of parametrised CRC algorithms. */
const CRC_OF_123456789 = 0xe3069283;

export function ringStage(workload: Workload): Stage {
  const payloads = slices(workload.fetched, RECORD_BYTES);
  const buffer = new SharedArrayBuffer(ringBytes(RING_BYTES));
  const place: RingPlace = { buffer, baseBytes: 0, capacityBytes: RING_BYTES };
  const producer = new RingProducer(place);
  const consumer = new RingConsumer(place);
  const handOver = (onPayload: (bytes: Uint8Array) => void) => {
    for (const payload of payloads) {
      const header = { type: RecordType.data, partition: 0, incarnation: 1, offset: 0n, aux: 0n };
      if (!producer.tryWrite(header, payload)) throw new Error('the ring is full');
      onPayload(consumer.peek()!.bytes);
      consumer.advance();
    }
  };
  const count = () => {
    let bytes = 0;
    handOver((payload) => {
      bytes += payload.byteLength;
    });
    return bytes;
  };
  const prove = (bytes: number) => {
    assert.equal(bytes, workload.fetched.length);
    const got: Buffer[] = [];
    handOver((payload) => got.push(Buffer.from(payload)));
    assert.ok(Buffer.concat(got).equals(workload.fetched));
  };
  return {
    name: 'ring',
    unit: '256 KiB',
    units: payloads.length,
    events: workload.events.length,
    contenders: [
      contender('stage', 'RingProducer → RingConsumer', count, prove),
      copying('memcpy, as fetched', payloads),
    ],
  };
}

export function crcStage(workload: Workload): Stage {
  const batches = workload.batches.map(({ bytes }) => bytes);
  const prove = (sums: readonly number[]) => {
    assert.equal(crc32c('123456789'), CRC_OF_123456789);
    const expected = batches.map((batch) => new DataView(batch.buffer, batch.byteOffset).getUint32(17));
    assert.deepEqual(sums, expected);
  };
  return {
    name: 'crc-32c',
    unit: 'batch',
    units: batches.length,
    events: workload.events.length,
    contenders: [
      contender('stage', '@node-rs/crc32', () => batches.map((batch) => crc32c(batch.subarray(21))), prove),
      copying('memcpy, as fetched', batches),
    ],
  };
}

export function lz4Stage(workload: Workload): Stage {
  const frames = workload.batches.map(({ frame }) => frame);
  return decompressionStage(workload, frames, {
    name: 'lz4',
    here: ({ kernel }) => kernel.lz4Frame,
    rival: 'decompressFrame (lz4-napi), the reference',
    elsewhere: (frame) => decompressFrame(frame, DECOMPRESSED_BYTES_MAX),
  });
}

export function snappyStage(workload: Workload): Stage {
  const blocks = workload.batches.map(({ records }) => compressSnappy(records));
  return decompressionStage(workload, blocks, {
    name: 'snappy',
    here: ({ kernel }) => kernel.snappy,
    rival: 'decompressSnappy, the reference',
    elsewhere: (block) => decompressSnappy(block, DECOMPRESSED_BYTES_MAX),
  });
}

interface Decompression {
  name: string;
  here(bytes: KernelBytes): ByteKernel['lz4Frame'];
  rival: string;
  elsewhere(payload: Uint8Array): Uint8Array;
}

function decompressionStage(workload: Workload, payloads: readonly Uint8Array[], way: Decompression): Stage {
  const expected = workload.batches.map(({ records }) => records);
  const largest = Math.max(...expected.map(({ length }) => length));
  // LZ4 is bounded by what its blocks could hold
  const contentBytesMax = Math.max(2 * largest, LZ4_BLOCK_BYTES_MAX);
  const bytes = new KernelBytes(payloads, contentBytesMax);
  const decompress = way.here(bytes);
  const here = (onContent: (size: number, index: number) => void) => {
    bytes.payloads.forEach(({ at, bytes: size }, index) => {
      onContent(decompress(at, size, bytes.contentAt, contentBytesMax), index);
    });
  };
  const sum = () => {
    let total = 0;
    here((size) => {
      total += size;
    });
    return total;
  };
  const prove = (total: number) => {
    assert.equal(
      total,
      expected.reduce((all, { length }) => all + length, 0),
    );
    here((size, index) => {
      assert.ok(Buffer.from(bytes.content(size)).equals(expected[index]!));
    });
  };
  const proveContents = (contents: readonly Uint8Array[]) => {
    assert.equal(contents.length, expected.length);
    contents.forEach((content, index) => {
      assert.ok(Buffer.from(content).equals(expected[index]!));
    });
  };
  return {
    name: way.name,
    unit: 'batch',
    units: expected.length,
    events: workload.events.length,
    contenders: [
      contender('stage', `kernel, ${way.name}`, sum, prove),
      contender('rival', way.rival, () => payloads.map(way.elsewhere), proveContents),
      copying('memcpy, decompressed', expected),
    ],
  };
}

/** The kernel’s walk, which checks and reads nothing. All batches in turn: from colder memory than behind a decompression. */
export function kernelWalking({ batches }: Workload): Contender {
  const { kernel, payloads } = new KernelBytes(
    batches.map(({ records }) => records),
    0,
  );
  const walk = (lie: number) => {
    let whole = 0;
    batches.forEach(({ count }, index) => {
      const { at, bytes } = payloads[index]!;
      if (kernel.walkRecords(at, bytes, count + lie, count - 1) === 0) whole++;
    });
    return whole;
  };
  return contender(
    'stage',
    'kernel, walkRecords',
    () => walk(0),
    (whole) => {
      assert.equal(whole, batches.length);
      assert.equal(walk(-1), 0);
    },
  );
}

/** Copies the pieces one behind the other, into memory that is there already. */
export function copying(name: string, pieces: readonly Uint8Array[]): Contender {
  const target = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  const run = () => {
    let at = 0;
    for (const piece of pieces) {
      target.set(piece, at);
      at += piece.length;
    }
    return target;
  };
  return contender('floor', name, run, (copy) => assert.ok(Buffer.concat(pieces).equals(copy)));
}

function slices(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}
