import type { LoadBrokersOptions } from '../../config/load-brokers.js';
import type { BrokerAccess } from '../../config/types.js';

/** Where the brokers are, by flag or by file, and how one comes in. Throws what `loadBrokers` throws. */
export function brokersOf(
  { config, brokers }: { config?: string; brokers?: string },
  loadBrokers: (options: LoadBrokersOptions) => BrokerAccess,
): BrokerAccess {
  const file = config === undefined ? {} : { file: config };
  return loadBrokers({ ...file, flags: brokers === undefined ? {} : { brokers } });
}
