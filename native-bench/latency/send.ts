import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '#src/clock.js';
import type { BrokerConnection } from '#src/kafka/broker-connection.js';
import { nameOfError } from '#src/kafka/wire/error-codes.js';
import { produceApi } from '#src/kafka/wire/produce.js';
import { TICK_MS, type Tick } from './stream.js';

/** How the sending went, by tick; ms since 1970. */
export interface Sent {
  sentMs: number[];
  /** When the broker had answered that it has the tick's events. */
  ackedMs: number[];
}

const REQUEST_TIMEOUT_MS = 60_000;
/** Behind so many the next tick waits: a broker that can't keep pace shows in the rate. */
const REQUESTS_IN_FLIGHT_MAX = 8;

/** Sends a tick each `TICK_MS`; one that is late is sent at once. Throws Error when the broker refuses a batch. */
export async function sendSteadily(
  connection: BrokerConnection,
  topic: string,
  ticks: readonly Tick[],
  onTick: (tick: number) => void,
  clock: Clock = systemClock,
): Promise<Sent> {
  const sent: Sent = { sentMs: [], ackedMs: [] };
  const inFlight: Promise<void>[] = [];
  const began = performance.now();
  for (const [tick, { batches }] of ticks.entries()) {
    const waitMs = began + tick * TICK_MS - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    while (inFlight.length >= REQUESTS_IN_FLIGHT_MAX) await inFlight.shift();
    sent.sentMs.push(clock.nowMs());
    const acked = connection
      .send(produceApi, { topic, timeoutMs: REQUEST_TIMEOUT_MS, batches })
      .then((produced) => {
        sent.ackedMs[tick] = clock.nowMs();
        const failed = produced.find(({ errorCode }) => errorCode !== 0);
        if (failed !== undefined) {
          throw new Error(`partition ${failed.partition} refused a batch: ${nameOfError(failed.errorCode)}`);
        }
      });
    acked.catch(() => undefined); // it is waited for later; a failure before that is no unhandled one
    inFlight.push(acked);
    onTick(tick);
  }
  await Promise.all(inFlight);
  return sent;
}
