import { connect, type Socket } from 'node:net';
import { HeadraceError } from '../errors.js';
import { AnswerAssembly } from './answer-assembly.js';
import type { BrokerTransport, TransportOptions, TransportRequest } from './broker-transport.js';
import { ByteSlices } from './wire/byte-slices.js';
import { WireWriter } from './wire/writer.js';

interface Waiting {
  correlationId: number;
  timer: NodeJS.Timeout;
  take(answer: ByteSlices): void;
  refuse(error: unknown): void;
}

const CORRELATION_ID_BYTES = 4;
const CORRELATION_ID_MAX = 2 ** 31 - 1;

/**
 * Kafka over TCP as it is. Node's `onread` lets the kernel write an answer to where it is read from: a third of the CPU
 * of 'data' events, and no garbage outside the heap for V8 to count.
 */
export class PlainTransport implements BrokerTransport {
  readonly #options: TransportOptions;
  readonly #onBroken: (error: unknown) => void;
  readonly #answers: AnswerAssembly;
  /** In the order sent, in which brokers answer. */
  readonly #waiting: Waiting[] = [];
  #socket: Socket | null = null;
  #correlationId = 0;
  #broken: { error: unknown } | null = null;

  constructor(options: TransportOptions, onBroken: (error: unknown) => void) {
    this.#options = options;
    this.#onBroken = onBroken;
    this.#answers = new AnswerAssembly(options.responseBytesMax, (answer) => this.#answered(answer));
  }

  async connect(): Promise<void> {
    if (this.#broken !== null) throw this.#broken.error;
    const { host, port, connectTimeoutMs } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const socket = connect({
        host,
        port,
        noDelay: true,
        onread: { buffer: () => this.#answers.space(), callback: (bytes) => this.#received(bytes) },
      });
      this.#socket = socket;
      const late = () => this.#break(new Error(`no connection within ${connectTimeoutMs} ms`));
      const timer = setTimeout(late, connectTimeoutMs);
      socket.once('connect', resolve);
      socket.on('error', (error) => this.#break(error));
      socket.on('close', () => {
        this.#break(new Error('connection closed'));
        reject(this.#broken?.error);
      });
      for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
    });
  }

  send<Response>(request: TransportRequest, decode: (answer: ByteSlices) => Response): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#socket === null || this.#broken !== null) {
        reject(this.#broken?.error ?? new Error('not connected'));
        return;
      }
      if (this.#waiting.length === 0) this.#answers.recycle();
      const { requestTimeoutMs } = this.#options;
      this.#correlationId = this.#correlationId === CORRELATION_ID_MAX ? 0 : this.#correlationId + 1;
      this.#waiting.push({
        correlationId: this.#correlationId,
        timer: setTimeout(
          () => this.#break(new Error(`no answer within ${requestTimeoutMs} ms`)),
          requestTimeoutMs,
        ),
        take: (answer) => resolve(decode(answer)),
        refuse: reject,
      });
      this.#write(this.#socket, request);
    });
  }

  destroy(): void {
    this.#break(new Error('connection closed by us'));
  }

  /** In one call to the kernel, without a copy of what is large. */
  #write(socket: Socket, { apiKey, apiVersion, flexible, body }: TransportRequest): void {
    const header = new WireWriter().int16(apiKey).int16(apiVersion).int32(this.#correlationId);
    header.string(this.#options.clientId);
    if (flexible) header.noTags();
    const bytes = header.toBuffer();
    const length = body.reduce((sum, piece) => sum + piece.length, bytes.length);
    const message = new WireWriter().int32(length).raw(bytes);
    for (const piece of body) message.raw(piece);
    socket.cork();
    for (const piece of message.toPieces()) socket.write(piece);
    socket.uncork();
  }

  /** False stops the reading. */
  #received(bytes: number): boolean {
    try {
      this.#answers.accept(bytes);
    } catch (error) {
      this.#break(error);
    }
    return this.#broken === null;
  }

  #answered(answer: Buffer): void {
    const correlationId = answer.readInt32BE(0);
    const waiting = this.#waiting.shift();
    if (waiting?.correlationId !== correlationId) {
      if (waiting !== undefined) this.#waiting.unshift(waiting);
      throw new HeadraceError('KAFKA_PROTOCOL', `an answer to request ${correlationId}, which nobody asked`);
    }
    clearTimeout(waiting.timer);
    try {
      waiting.take(ByteSlices.of(answer.subarray(CORRELATION_ID_BYTES)));
    } catch (error) {
      waiting.refuse(error);
    }
  }

  #break(error: unknown): void {
    if (this.#broken !== null) return;
    this.#broken = { error };
    this.#socket?.destroy();
    for (const { timer, refuse } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      refuse(error);
    }
    this.#onBroken(error);
  }
}
