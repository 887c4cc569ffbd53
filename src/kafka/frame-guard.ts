import { HeadraceError } from '../errors.js';

export const LENGTH_BYTES = 4;
/** A response holds a correlation id at least. */
export const FRAME_BYTES_MIN = 4;

/**
 * Follows the frames of a broker's byte stream (a 32-bit length, then that many bytes) and refuses a length that no
 * answer can have. It looks at each chunk before the library does, which neither caps a length nor survives a negative one.
 */
export class FrameGuard {
  readonly #frameBytesMax: number;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthBytes = 0;
  #left = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** The announced length that is refused, or null: the chunk may go on. */
  tryRefuse(chunk: Buffer): number | null {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      this.#length[this.#lengthBytes++] = chunk[at++]!;
      if (this.#lengthBytes < LENGTH_BYTES) continue;
      const announced = this.#length.readInt32BE(0);
      if (!isFrameLength(announced, this.#frameBytesMax)) return announced;
      this.#lengthBytes = 0;
      this.#left = announced;
    }
    return null;
  }
}

/** Whether an answer can be so long. */
export function isFrameLength(announced: number, frameBytesMax: number): boolean {
  return FRAME_BYTES_MIN <= announced && announced <= frameBytesMax;
}

/** How a record of TLS begins that says no: content type 21, version 3.x. */
const TLS_ALERT = 0x1503;

/** Why an announced length is refused. Who it was is added by the connection. */
export function refusalOf(announced: number, frameBytesMax: number): HeadraceError {
  if (announced >>> 16 === TLS_ALERT) {
    return new HeadraceError('KAFKA_TLS', 'the broker speaks TLS on this port, and we do not', {
      remedy: 'set kafka.security.protocol to ssl or sasl_ssl, or name the port of its plain listener',
    });
  }
  if (announced <= frameBytesMax) {
    return new HeadraceError('KAFKA_PROTOCOL', `the broker announced an answer of ${announced} bytes`);
  }
  return new HeadraceError(
    'KAFKA_RESPONSE_TOO_LARGE',
    `the broker announced an answer of ${announced} bytes, above the limit of ${frameBytesMax}`,
    { remedy: 'raise fetch.response_bytes_max if batches are really that large' },
  );
}
