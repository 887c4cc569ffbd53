import { crc32c, lz4 } from './native-codecs.js';
import {
  CHECKSUM_AT,
  CHUNK_CONTENT_BYTES_MAX,
  chunkHead,
  type SnapshotMeta,
  snapshotHead,
} from './snapshot.js';
import type { Turns } from './turns.js';

/** The thread's memory for a chunk, while no snapshot is in the making: new memory costs its first touch, and marking later. */
let kept: Buffer | null = null;

/**
 * A snapshot's file from content that comes bit by bit. The thread does no more than copying and checksums, in small pieces:
 * chunks are compressed by libuv's threads, and only what is compressed is kept.
 */
export class SnapshotWriter {
  readonly #meta: SnapshotMeta;
  readonly #turns: Turns;
  readonly #chunk: Buffer;
  #filled = 0;
  #contentBytes = 0;
  readonly #parts: Buffer[] = [];

  constructor(meta: SnapshotMeta, turns: Turns) {
    this.#meta = meta;
    this.#turns = turns;
    this.#chunk = kept ?? Buffer.allocUnsafeSlow(CHUNK_CONTENT_BYTES_MAX);
    kept = null;
  }

  /** Takes a copy. */
  async add(content: Uint8Array): Promise<void> {
    let at = 0;
    while (at < content.byteLength) {
      const some = content.subarray(at, at + this.#chunk.length - this.#filled);
      this.#chunk.set(some, this.#filled);
      at += some.byteLength;
      this.#filled += some.byteLength;
      if (this.#filled === this.#chunk.length) await this.#compress();
    }
    this.#contentBytes += content.byteLength;
  }

  /** The file. Nothing may be added behind it. */
  async finish(): Promise<Uint8Array> {
    if (this.#filled > 0) await this.#compress();
    kept = this.#chunk;
    const parts = [snapshotHead(this.#meta, this.#contentBytes), ...this.#parts];
    const file = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0));
    let crc = crc32c(parts[0]!.subarray(CHECKSUM_AT + 4), crc32c(parts[0]!.subarray(0, CHECKSUM_AT)));
    file.set(parts[0]!);
    let at = parts[0]!.length;
    for (const part of parts.slice(1)) {
      file.set(part, at);
      at += part.length;
      crc = crc32c(part, crc);
      await this.#turns.turn();
    }
    file.writeUInt32LE(crc, CHECKSUM_AT);
    return file;
  }

  async #compress(): Promise<void> {
    const frame = await this.#turns.aside(lz4.compressFrame(this.#chunk.subarray(0, this.#filled)));
    this.#parts.push(chunkHead(this.#filled, frame.length), frame);
    this.#filled = 0;
  }
}
