import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import { Cluster } from '../../kafka/cluster.js';
import { systemRandom } from '../../random.js';
import type { PlainLog } from '../../telemetry/log.js';

const REACH_MS = 10_000;
/** Answers to produce and control requests are small. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

/** Throws HeadraceError KAFKA_UNREACHABLE when no broker answers in ten seconds, and what connecting throws. */
export async function connectBrokers(
  brokers: readonly string[],
  log: PlainLog,
  clock: Clock,
): Promise<Cluster> {
  const giveUp = new AbortController();
  const connected = new AbortController();
  void clock.sleep(REACH_MS, connected.signal).then(() => {
    if (!connected.signal.aborted) giveUp.abort();
  });
  try {
    return await Cluster.connect({
      bootstrap: brokers,
      clientId: 'headrace',
      responseBytesMax: RESPONSE_BYTES_MAX,
      log,
      clock,
      random: systemRandom,
      signal: giveUp.signal,
    });
  } catch (error) {
    if (!giveUp.signal.aborted) throw error;
    throw new HeadraceError('KAFKA_UNREACHABLE', `no answer within ${REACH_MS / 1_000} s`, {
      where: { brokers: brokers.join(',') },
      remedy: 'are these the brokers, and do they run?',
    });
  } finally {
    connected.abort();
  }
}
