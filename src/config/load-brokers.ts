import { brokers, section } from './fields.js';
import type { ConfigFlags } from './flags.js';
import { type NamedText, openSources, readConfigFile } from './sources.js';

/**
 * What commands need that ask brokers and nothing else: where they are. An engine's file will do, of which only kafka.brokers is
 * read: whoever keeps the topics need not be who runs the engine.
 */

const EXAMPLE = 'headrace topics check --brokers localhost:9092';

const schema = section({ kafka: section({ brokers: brokers() }).prefault({} as never) });

export interface LoadBrokersOptions {
  file?: string;
  flags: Pick<ConfigFlags, 'brokers'>;
}

/** `host:port` each, at least one. Throws ConfigError (CONFIG_INVALID, exit 78). */
export function loadBrokers({ file, flags }: LoadBrokersOptions): readonly string[] {
  return resolveBrokers(file === undefined ? undefined : readConfigFile(file), flags);
}

/** The same without I/O. */
export function resolveBrokers(
  file: NamedText | undefined,
  flags: Pick<ConfigFlags, 'brokers'>,
): readonly string[] {
  const sources = openSources(file, flags, '.');
  const kafka = (sources.root.kafka ?? {}) as { brokers?: unknown };
  return sources.check(schema, EXAMPLE, { kafka: { brokers: kafka.brokers } }).kafka.brokers;
}
