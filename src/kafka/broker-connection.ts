import { AuthenticationError, Connection, type ConnectionOptions, Writer } from '@platformatic/kafka';
import { HeadraceError, messageOf } from '../errors.js';
import { FrameGuard } from './frame-guard.js';
import { type Api, decodeResponse } from './wire/api.js';
import { apiVersionsApi } from './wire/api-versions.js';
import { ByteSlices } from './wire/byte-slices.js';
import { KafkaErrorCode, nameOfError } from './wire/error-codes.js';
import { fetchApi } from './wire/fetch.js';
import { listOffsetsApi } from './wire/list-offsets.js';
import { metadataApi } from './wire/metadata.js';
import { offsetForLeaderEpochApi } from './wire/offset-for-leader-epoch.js';
import { WireWriter } from './wire/writer.js';

/** TLS and SASL as @platformatic/kafka takes them; nothing here looks inside. */
export type SecurityOptions = Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'>;

export interface BrokerConnectionOptions {
  host: string;
  port: number;
  clientId: string;
  security: SecurityOptions;
  /** An answer announced as larger closes the connection. */
  responseBytesMax: number;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  /** Ends an attempt to connect. */
  closing: AbortSignal;
}

const APIS_NEEDED = [fetchApi, listOffsetsApi, metadataApi, offsetForLeaderEpochApi];

/**
 * One connection to one broker: the library's transport (TCP, TLS, SASL, correlation) with our messages.
 *
 * Invariants
 * - An announced length below 4 or above the cap closes the connection before the library sees it.
 * - A connection is given up for good after a time-out (the library's parser stays stuck behind the unread answer), a
 *   malformed answer or any network error; the reason is what every waiting request is refused with.
 */
export class BrokerConnection {
  readonly address: string;
  readonly #connection: Connection;
  readonly #options: BrokerConnectionOptions;
  #reason: HeadraceError | null = null;

  private constructor(options: BrokerConnectionOptions) {
    this.#options = options;
    this.address = `${options.host}:${options.port}`;
    this.#connection = new Connection(options.clientId, {
      ...options.security,
      connectTimeout: options.connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
    });
    this.#connection.on('error', (error) => this.#giveUp(this.#unreachable(error)));
    this.#connection.on('close', () => this.#giveUp(this.#unreachable(new Error('connection closed'))));
  }

  /** Connects, authenticates and checks what the broker speaks. Throws KAFKA_UNREACHABLE, KAFKA_AUTH or KAFKA_TOO_OLD. */
  static async open(options: BrokerConnectionOptions): Promise<BrokerConnection> {
    const connection = new BrokerConnection(options);
    const abort = () => connection.close();
    options.closing.addEventListener('abort', abort, { once: true });
    try {
      await connection.#connect();
      await connection.#checkVersions();
      return connection;
    } catch (error) {
      const reason = connection.#reason ?? connection.#asHeadraceError(error);
      connection.#giveUp(reason);
      throw reason;
    } finally {
      options.closing.removeEventListener('abort', abort);
    }
  }

  get closed(): boolean {
    return this.#reason !== null;
  }

  /** Throws KAFKA_UNREACHABLE, KAFKA_PROTOCOL or KAFKA_RESPONSE_TOO_LARGE; the connection is closed then. */
  send<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    if (this.#reason !== null) return Promise.reject(this.#reason);
    return new Promise((resolve, reject) => {
      this.#connection.send<Response>(
        api.key,
        api.version,
        () => {
          const writer = new WireWriter();
          api.encode(writer, request);
          return Writer.create().append(writer.toBuffer());
        },
        (_correlationId, _key, _version, { buffer }) =>
          decodeResponse(api, new ByteSlices(buffer.buffers, buffer.length).reader(`${api.name} response`)),
        api.flexible,
        false, // the header's tags are read by decodeResponse: the library takes them to be one byte
        (error, response) => {
          if (error === null && this.#reason === null) return resolve(response as Response);
          const reason = this.#reason ?? this.#asHeadraceError(error);
          this.#giveUp(reason);
          reject(reason);
        },
      );
    });
  }

  close(): void {
    this.#giveUp(this.#unreachable(new Error('connection closed by us')));
  }

  async #connect(): Promise<void> {
    const connected = this.#connection.connect(this.#options.host, this.#options.port);
    const { socket } = this.#connection;
    socket.on('error', () => undefined); // the library listens once while connecting; a second error must not throw
    socket.once(this.#options.security.tls ? 'secureConnect' : 'connect', () => this.#interpose());
    await connected;
  }

  /** Puts the guard in front of the library's reader, which attached itself in the listener before this one. */
  #interpose(): void {
    const { socket } = this.#connection;
    const readers = socket.listeners('data') as ((chunk: Buffer) => void)[];
    const guard = new FrameGuard(this.#options.responseBytesMax);
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      if (this.#reason !== null) return;
      const refused = guard.tryRefuse(chunk);
      if (refused !== null) return this.#giveUp(this.#refusal(refused));
      try {
        for (const reader of readers) reader.call(socket, chunk);
      } catch (error) {
        this.#giveUp(this.#protocol(messageOf(error)));
      }
    });
  }

  async #checkVersions(): Promise<void> {
    const { errorCode, ranges } = await this.send(apiVersionsApi, null);
    if (errorCode !== KafkaErrorCode.NONE && errorCode !== KafkaErrorCode.UNSUPPORTED_VERSION) {
      throw this.#protocol(`ApiVersions was answered with ${nameOfError(errorCode)}`);
    }
    for (const api of APIS_NEEDED) {
      const range = ranges.find(({ key }) => key === api.key);
      if (range !== undefined && range.versionMin <= api.version && api.version <= range.versionMax) continue;
      const speaks = range === undefined ? 'none' : `${range.versionMin} to ${range.versionMax}`;
      throw new HeadraceError(
        'KAFKA_TOO_OLD',
        `the broker does not speak ${api.name} version ${api.version} (it speaks ${speaks})`,
        { where: { broker: this.address }, remedy: 'use brokers of Apache Kafka 2.8 to 4.x' },
      );
    }
  }

  #giveUp(reason: HeadraceError): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    // undefined while the library has not made one
    (this.#connection.socket as Connection['socket'] | undefined)?.destroy();
    // stops the timer of SASL's re-authentication; the socket is gone whatever it answers
    this.#connection.close(() => undefined);
  }

  #asHeadraceError(error: unknown): HeadraceError {
    if (!(error instanceof HeadraceError)) return this.#unreachable(error);
    return new HeadraceError(error.code, error.message, {
      where: { broker: this.address, ...error.where },
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    });
  }

  #unreachable(error: unknown): HeadraceError {
    const where = { broker: this.address };
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof AuthenticationError) {
        return new HeadraceError('KAFKA_AUTH', messageOf(cause), {
          where,
          remedy: 'check mechanism and credentials',
        });
      }
    }
    return new HeadraceError('KAFKA_UNREACHABLE', messageOf(error), { where });
  }

  #protocol(what: string): HeadraceError {
    return new HeadraceError('KAFKA_PROTOCOL', what, { where: { broker: this.address } });
  }

  #refusal(announced: number): HeadraceError {
    if (announced < 0 || announced <= this.#options.responseBytesMax) {
      return this.#protocol(`the broker announced an answer of ${announced} bytes`);
    }
    return new HeadraceError(
      'KAFKA_RESPONSE_TOO_LARGE',
      `the broker announced an answer of ${announced} bytes, above the limit of ${this.#options.responseBytesMax}`,
      {
        where: { broker: this.address },
        remedy: 'raise fetch.response_bytes_max if batches are really that large',
      },
    );
  }
}
