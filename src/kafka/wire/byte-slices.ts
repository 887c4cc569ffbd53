import { WireReader } from './reader.js';

/**
 * A run of bytes that lies in several chunks, as the socket delivered them. Nothing is joined: the only copy of fetched
 * records is the one that `copyTo` makes into the ring.
 */
export class ByteSlices {
  readonly chunks: readonly Buffer[];
  readonly length: number;

  constructor(chunks: readonly Buffer[], length: number) {
    this.chunks = chunks;
    this.length = length;
  }

  static of(bytes: Buffer): ByteSlices {
    return new ByteSlices([bytes], bytes.length);
  }

  /** A cursor from the first byte on. `source` names the bytes in errors. */
  reader(source: string): WireReader {
    return new WireReader(this, source);
  }

  /** Copies the first `target.length` bytes. */
  copyTo(target: Uint8Array): void {
    let at = 0;
    for (const chunk of this.chunks) {
      const room = target.length - at;
      if (room === 0) return;
      target.set(chunk.length <= room ? chunk : chunk.subarray(0, room), at);
      at += Math.min(chunk.length, room);
    }
  }
}
