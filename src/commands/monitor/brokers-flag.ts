import type { LoadBrokersOptions } from '../../config/load-brokers.js';

/** Where the brokers are, by flag or by file. Throws what `loadBrokers` throws. */
export function brokersOf(
  { config, brokers }: { config?: string; brokers?: string },
  loadBrokers: (options: LoadBrokersOptions) => readonly string[],
): readonly string[] {
  const file = config === undefined ? {} : { file: config };
  return loadBrokers({ ...file, flags: brokers === undefined ? {} : { brokers } });
}
