import { systemClock } from '../clock.js';
import type { BrokerAccess } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import { Cluster } from '../kafka/cluster.js';
import { accessOf } from '../kafka/security/access.js';
import { systemRandom } from '../random.js';
import type { PlainLog } from '../telemetry/log.js';

/** How long a command waits for the brokers: an engine would for ever. */
export const REACH_MS = 10_000;
/** Answers to all but fetches are small. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

export interface BrokersToReach extends BrokerAccess {
  /** By default headrace. */
  clientId?: string;
  responseBytesMax?: number;
  log: PlainLog;
}

/** Throws HeadraceError KAFKA_UNREACHABLE (exit 75) when no broker answers in ten seconds; KAFKA_AUTH, KAFKA_TLS, KAFKA_TOO_OLD at once. */
export function connectBrokers(options: BrokersToReach): Promise<Cluster> {
  return inReach(
    (signal) => connectUntil(options, signal),
    (what) => noBrokers(what, { brokers: options.brokers.join(',') }),
  );
}

export function connectUntil(
  { brokers, security, clientId = 'headrace', responseBytesMax = RESPONSE_BYTES_MAX, log }: BrokersToReach,
  signal: AbortSignal,
): Promise<Cluster> {
  return Cluster.connect({
    bootstrap: brokers,
    connectionOptions: accessOf(security).connection,
    clientId,
    throwsRefusals: true,
    responseBytesMax,
    log,
    clock: systemClock,
    random: systemRandom,
    signal,
  });
}

/** Ends `work` by its signal after ten seconds; `late` is then what is wrong. */
export async function inReach<T>(
  work: (signal: AbortSignal) => Promise<T>,
  late: (what: string) => HeadraceError,
): Promise<T> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), REACH_MS);
  try {
    return await work(giveUp.signal);
  } catch (error) {
    throw giveUp.signal.aborted ? late(`no answer within ${REACH_MS / 1_000} s`) : error;
  } finally {
    clearTimeout(timer);
  }
}

export function noBrokers(what: string, where: { brokers: string; topic?: string }): HeadraceError {
  return new HeadraceError('KAFKA_UNREACHABLE', what, {
    where,
    remedy: 'are these the brokers, and do they run?',
  });
}
