import { resolve } from 'node:path';
import type { Environment } from './environment.js';
import { brokers, section } from './fields.js';
import type { ConfigFlags } from './flags.js';
import { kafkaSecurity, toKafkaSecurity } from './kafka-security.js';
import { deepFreeze, type NamedText, openSources, readConfigFiles } from './sources.js';
import type { BrokerAccess } from './types.js';

/**
 * What commands need that ask brokers and nothing else: where they are, and how one comes in. An engine's file will do, of which only
 * kafka.brokers and kafka.security are read: whoever keeps the topics need not be who runs the engine.
 */

/** Of whichever command it was. */
const EXAMPLE = '--brokers localhost:9092';

const schema = section({
  kafka: section({ brokers: brokers(), security: kafkaSecurity }).prefault({} as never),
});

export interface LoadBrokersOptions {
  file?: string;
  flags: Pick<ConfigFlags, 'brokers'>;
}

/** Throws ConfigError (CONFIG_INVALID, exit 78). */
export function loadBrokers({ file, flags }: LoadBrokersOptions): BrokerAccess {
  return resolveBrokers(file === undefined ? undefined : readConfigFiles(file), flags, process.env);
}

/** The same without I/O. */
export function resolveBrokers(
  file: NamedText | readonly NamedText[] | undefined,
  flags: Pick<ConfigFlags, 'brokers'>,
  environment: Environment = {},
): BrokerAccess {
  const sources = openSources(file, flags, '.', environment);
  const kafka = (sources.root.kafka ?? {}) as { brokers?: unknown; security?: unknown };
  const asked = { kafka: { brokers: kafka.brokers, security: kafka.security } };
  const data = sources.check(schema, EXAMPLE, asked);
  const security = toKafkaSecurity(data.kafka.security, (setting, path) =>
    resolve(sources.folderOf(setting), path),
  );
  return deepFreeze({ brokers: data.kafka.brokers, security });
}
