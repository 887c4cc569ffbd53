import { suggest } from './suggest.js';

/**
 * The properties that `kafka.librdkafka` may not set: those that the engine decides because its guarantees rest on
 * them, and those that would reach only half of its connections.
 */

const ENGINES_OWN: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'set kafka.brokers instead',
  'metadata.broker.list': 'set kafka.brokers instead',
  'group.id': 'set kafka.group instead',
  'group.instance.id': 'set kafka.instance_id instead',
  'group.protocol': 'set kafka.group_protocol instead',
  'session.timeout.ms': 'set kafka.session_timeout instead',
  'client.id': 'set kafka.client_id instead',
  'client.rack': 'set kafka.rack instead',
  'auto.offset.reset': 'set kafka.start instead',
  'isolation.level': 'set kafka.isolation instead',
  'enable.auto.commit': 'offsets are committed after the ledger, never by themselves',
  'auto.commit.enable': 'offsets are committed after the ledger, never by themselves',
  'auto.commit.interval.ms': 'offsets are committed after the ledger, never by themselves',
  'enable.auto.offset.store': 'offsets are committed after the ledger, never by themselves',
  'partition.assignment.strategy': 'lanes move cooperatively, and only so',
  'group.remote.assignor': 'lanes move cooperatively, and only so',
  'fetch.message.max.bytes': 'set fetch.partition_bytes instead',
  'max.partition.fetch.bytes': 'set fetch.partition_bytes instead',
  'fetch.max.bytes': 'set fetch.response_bytes_max instead',
  'fetch.wait.max.ms': 'set fetch.max_wait instead',
  'receive.message.max.bytes': 'set fetch.response_bytes_max instead',
};

/** Fetching does not go through librdkafka: what secures the group alone would look secure and not connect. */
const HALF_SECURED = /^(security\.|sasl\.|ssl\.|enable\.ssl\.)/;

/** Why a property is refused, or undefined when it may be passed on. */
export function librdkafkaProblem(name: string): string | undefined {
  const reason = Object.hasOwn(ENGINES_OWN, name) ? ENGINES_OWN[name] : undefined;
  if (reason !== undefined) return `is the engine's own: ${reason}`;
  if (HALF_SECURED.test(name)) {
    return 'would reach the group but not the fetches: set kafka.security, which is for both';
  }
  if (name.endsWith('_cb')) return 'is a function in librdkafka, which a file cannot hold';
  if (!/^[a-z][a-z0-9.]*$/.test(name)) {
    const near = suggest(name, Object.keys(ENGINES_OWN));
    const hint = near === undefined ? '' : `; for ${near}: ${ENGINES_OWN[near]}`;
    return `is not a librdkafka property: their names are lower case with dots${hint}`;
  }
  return undefined;
}
