import { BrokerConnection } from '#src/kafka/broker-connection.js';

const TIMEOUT_MS = 60_000;

/** A connection of a benchmark's own to a broker; the caller closes it. */
export function benchConnection({ host, port }: { host: string; port: number }): Promise<BrokerConnection> {
  return BrokerConnection.open({
    host,
    port,
    clientId: 'headrace-bench',
    security: {},
    responseBytesMax: 1024 * 1024,
    connectTimeoutMs: TIMEOUT_MS,
    requestTimeoutMs: TIMEOUT_MS,
    closing: new AbortController().signal,
  });
}
