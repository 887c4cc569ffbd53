import type { ConnectionOptions } from '@platformatic/kafka';
import type { ByteSlices } from './wire/byte-slices.js';

/** TLS and SASL as @platformatic/kafka takes them; nothing here looks inside. */
export type SecurityOptions = Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'>;

export interface TransportOptions {
  host: string;
  port: number;
  clientId: string;
  security: SecurityOptions;
  /** An answer announced as larger breaks the transport. */
  responseBytesMax: number;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
}

export interface TransportRequest {
  apiKey: number;
  apiVersion: number;
  /** The request's header has tagged fields. */
  flexible: boolean;
  /** One behind the other; they are not to change before the answer is there. */
  body: readonly Buffer[];
}

/**
 * Requests out, whole answers in, over one connection. Once broken it stays so, and what waits for an answer is refused.
 * Errors are as they come; HeadraceErrors without the broker's name.
 */
export interface BrokerTransport {
  /** Connects and logs in. Called once. */
  connect(): Promise<void>;
  /**
   * `decode` gets the answer behind its correlation id. Its bytes are good until the next call of `send`, and no longer.
   * Rejects with what `decode` threw, or with why there is no answer; the caller destroys the transport then.
   */
  send<Response>(request: TransportRequest, decode: (answer: ByteSlices) => Response): Promise<Response>;
  destroy(): void;
}
