import { HeadraceError } from '../errors.js';
import { BrokerConnection, type SecurityOptions } from './broker-connection.js';
import type { BrokerInfo } from './wire/metadata.js';

/** Long polls hold up what is behind them on a connection, hence one of its own for everything else. */
export type Purpose = 'fetch' | 'control';

/** Answers to anything but a fetch stay far below this. */
const CONTROL_RESPONSE_BYTES_MAX = 16 * 1024 * 1024;
/** They are answered at once, too: a broker that vanished is noticed earlier. */
const CONTROL_REQUEST_TIMEOUT_MS = 10_000;

export interface ConnectionsOptions {
  clientId: string;
  security: SecurityOptions;
  /** Cap of a fetch's answer. */
  responseBytesMax: number;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
}

/** One connection per address and purpose, opened when asked for. Waiting between attempts is the caller's. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Map<string, Promise<BrokerConnection>>();
  readonly #closing = new AbortController();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  async get(address: Pick<BrokerInfo, 'host' | 'port'>, purpose: Purpose): Promise<BrokerConnection> {
    const key = `${address.host}:${address.port}/${purpose}`;
    const existing = this.#open.get(key);
    if (existing !== undefined) {
      const connection = await existing;
      if (!connection.closed) return connection;
      if (this.#open.get(key) === existing) this.#open.delete(key);
      return this.get(address, purpose);
    }
    if (this.#closing.signal.aborted) throw new HeadraceError('KAFKA_UNREACHABLE', 'the client is closed');
    const { responseBytesMax, requestTimeoutMs } = this.#options;
    const control = purpose === 'control';
    const opening = BrokerConnection.open({
      ...this.#options,
      host: address.host,
      port: address.port,
      responseBytesMax: control ? CONTROL_RESPONSE_BYTES_MAX : responseBytesMax,
      requestTimeoutMs: control ? Math.min(requestTimeoutMs, CONTROL_REQUEST_TIMEOUT_MS) : requestTimeoutMs,
      closing: this.#closing.signal,
    });
    this.#open.set(key, opening);
    try {
      const connection = await opening;
      if (this.#closing.signal.aborted) connection.close();
      return connection;
    } catch (error) {
      if (this.#open.get(key) === opening) this.#open.delete(key);
      throw error;
    }
  }

  /** Closes the connections to all other addresses: brokers that left, and the bootstrap names once they have served. */
  keepOnly(addresses: Iterable<Pick<BrokerInfo, 'host' | 'port'>>): void {
    const kept = new Set([...addresses].map(({ host, port }) => `${host}:${port}`));
    for (const [key, opening] of this.#open) {
      if (kept.has(key.slice(0, key.lastIndexOf('/')))) continue;
      this.#open.delete(key);
      closeWhenOpen(opening);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const opening of this.#open.values()) closeWhenOpen(opening);
    this.#open.clear();
  }
}

function closeWhenOpen(opening: Promise<BrokerConnection>): void {
  void opening.then(
    (connection) => connection.close(),
    () => undefined, // who asked for it has the reason
  );
}
