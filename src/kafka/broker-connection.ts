import { HeadraceError, messageOf } from '../errors.js';
import type { BrokerTransport, SecurityOptions, TransportOptions } from './broker-transport.js';
import { PlainTransport } from './plain-transport.js';
import { type Api, decodeResponse } from './wire/api.js';
import { type ApiRange, apiVersionsApi } from './wire/api-versions.js';
import { KafkaErrorCode, nameOfError } from './wire/error-codes.js';
import { fetchApi } from './wire/fetch.js';
import { listOffsetsApi } from './wire/list-offsets.js';
import { metadataApi } from './wire/metadata.js';
import { offsetForLeaderEpochApi } from './wire/offset-for-leader-epoch.js';
import { WireWriter } from './wire/writer.js';

export type { SecurityOptions } from './broker-transport.js';

export interface BrokerConnectionOptions extends TransportOptions {
  /** Ends an attempt to connect. */
  closing: AbortSignal;
}

const APIS_NEEDED = [fetchApi, listOffsetsApi, metadataApi, offsetForLeaderEpochApi];

/**
 * One connection to one broker: our messages over a transport of bytes.
 *
 * Invariant: a connection is given up for good after a time-out, a malformed answer or any network error (no parser finds
 * its place again behind an answer that was not read); the reason is what every waiting request is refused with.
 */
export class BrokerConnection {
  readonly address: string;
  readonly #transport: BrokerTransport;
  #ranges: readonly ApiRange[] = [];
  #reason: HeadraceError | null = null;

  private constructor(options: TransportOptions, makeTransport: MakeTransport) {
    this.address = `${options.host}:${options.port}`;
    this.#transport = makeTransport(options, (error) => this.#giveUp(error));
  }

  /** Connects, authenticates and checks what the broker speaks. Throws KAFKA_UNREACHABLE, KAFKA_AUTH or KAFKA_TOO_OLD. */
  static async open({ closing, ...options }: BrokerConnectionOptions): Promise<BrokerConnection> {
    const connection = new BrokerConnection(options, await transportFor(options.security));
    const abort = () => connection.close();
    if (closing.aborted) abort();
    closing.addEventListener('abort', abort, { once: true });
    try {
      await connection.#transport.connect();
      await connection.#checkVersions();
      return connection;
    } catch (error) {
      throw connection.#giveUp(error);
    } finally {
      closing.removeEventListener('abort', abort);
    }
  }

  /** Whether the broker knows a call in that version. */
  speaks(api: Pick<Api<never, never>, 'key' | 'version'>): boolean {
    const range = this.#rangeOf(api.key);
    return range !== undefined && range.versionMin <= api.version && api.version <= range.versionMax;
  }

  #rangeOf(key: number): ApiRange | undefined {
    return this.#ranges.find((range) => range.key === key);
  }

  get closed(): boolean {
    return this.#reason !== null;
  }

  /**
   * Byte slices in an answer are good until the next call. Throws KAFKA_UNREACHABLE, KAFKA_PROTOCOL or
   * KAFKA_RESPONSE_TOO_LARGE; the connection is closed then.
   */
  async send<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    if (this.#reason !== null) throw this.#reason;
    const body = new WireWriter();
    api.encode(body, request);
    const { key: apiKey, version: apiVersion, flexible } = api;
    try {
      return await this.#transport.send({ apiKey, apiVersion, flexible, body: body.toPieces() }, (answer) =>
        decodeResponse(api, answer.reader(`${api.name} response`)),
      );
    } catch (error) {
      throw this.#giveUp(error);
    }
  }

  close(): void {
    this.#giveUp(new Error('connection closed by us'));
  }

  async #checkVersions(): Promise<void> {
    const { errorCode, ranges } = await this.send(apiVersionsApi, null);
    if (errorCode !== KafkaErrorCode.NONE && errorCode !== KafkaErrorCode.UNSUPPORTED_VERSION) {
      throw new HeadraceError('KAFKA_PROTOCOL', `ApiVersions was answered with ${nameOfError(errorCode)}`);
    }
    this.#ranges = ranges;
    for (const api of APIS_NEEDED) {
      if (this.speaks(api)) continue;
      const range = this.#rangeOf(api.key);
      const speaks = range === undefined ? 'none' : `${range.versionMin} to ${range.versionMax}`;
      throw new HeadraceError(
        'KAFKA_TOO_OLD',
        `the broker does not speak ${api.name} version ${api.version} (it speaks ${speaks})`,
        { remedy: 'use brokers of Apache Kafka 2.8 to 4.x' },
      );
    }
  }

  /** Returns the reason: this one, or the first. */
  #giveUp(error: unknown): HeadraceError {
    if (this.#reason === null) {
      this.#reason = this.#reasonOf(error);
      this.#transport.destroy();
    }
    return this.#reason;
  }

  #reasonOf(error: unknown): HeadraceError {
    const where = { broker: this.address };
    if (!(error instanceof HeadraceError)) {
      return new HeadraceError('KAFKA_UNREACHABLE', messageOf(error), { where });
    }
    return new HeadraceError(error.code, error.message, {
      where: { ...where, ...error.where },
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    });
  }
}

type MakeTransport = (options: TransportOptions, onBroken: (error: unknown) => void) => BrokerTransport;

/** The library is loaded where it is needed only: half a second of CPU. */
async function transportFor({ tls, sasl }: SecurityOptions): Promise<MakeTransport> {
  if (tls === undefined && sasl === undefined) return (...all) => new PlainTransport(...all);
  const { LibraryTransport } = await import('./library-transport.js');
  return (...all) => new LibraryTransport(...all);
}
