import { suggest } from '../config/suggest.js';
import { HeadraceError } from '../errors.js';
import { clientConfig, type LibrdkafkaConfig } from '../kafka/librdkafka.js';

/**
 * What the producer sets in librdkafka, by profile. Names are librdkafka's, most of them Java's too. Where the two differ:
 *
 *   Java                    here
 *   buffer.memory           queue.buffering.max.kbytes, and queue.buffering.max.messages, which would else be full first
 *   request.timeout.ms      request.timeout.ms is what the broker keeps to, socket.timeout.ms what the client does
 *   batch.size = 0          none: librdkafka sends one partition a request, so where records wait they had better share it (see `latency`)
 *   retries (2147483647)    the same: the delivery time-out ends them
 *   partitioner             partitioner = murmur2_random, and each record names its partition besides
 */

export type ProducerProfile = 'default' | 'throughput' | 'latency' | 'reliability' | 'web_clicks';

const KIB_PER_MIB = 1_024;
const RETRIES_WITHOUT_END = 2_147_483_647;
/** Fewer bytes than any event has with its key: the bytes of the buffer are what ends first. */
const EVENT_BYTES_MIN = 128;

/** Durable and in order: in every profile. */
const ALWAYS: LibrdkafkaConfig = {
  'enable.idempotence': true,
  acks: 'all',
  'max.in.flight.requests.per.connection': 5,
  'delivery.timeout.ms': 120_000,
  'request.timeout.ms': 30_000,
  'socket.timeout.ms': 30_000,
  partitioner: 'murmur2_random',
  // Java's max.request.size
  'message.max.bytes': 1_048_576,
  // a topic that a broker makes up has the broker's partitions, not the topic's
  'allow.auto.create.topics': false,
  'statistics.interval.ms': 1_000,
  dr_cb: true,
};

const DEFAULT = {
  retries: RETRIES_WITHOUT_END,
  'batch.size': 32_768,
  'linger.ms': 10,
  'compression.type': 'lz4',
  ...bufferOf(64),
};

const PROFILES: Readonly<Record<ProducerProfile, LibrdkafkaConfig>> = {
  default: DEFAULT,
  throughput: { ...DEFAULT, 'batch.size': 65_536, 'linger.ms': 100, ...bufferOf(128) },
  // a record that is alone goes at once; one record a batch (the document's batch.size 0) is one request each, of which a broker that
  // shares two cores took 4,500 a second, and not 10,000
  latency: { ...DEFAULT, 'linger.ms': 0 },
  // what the document lists for it is true of all profiles: nothing is left to add
  reliability: DEFAULT,
  web_clicks: { ...DEFAULT, 'compression.type': 'snappy', retries: 3 },
};

export const PROFILE_NAMES = Object.keys(PROFILES) as ProducerProfile[];

function bufferOf(mib: number): LibrdkafkaConfig {
  return {
    'queue.buffering.max.kbytes': mib * KIB_PER_MIB,
    'queue.buffering.max.messages': (mib * KIB_PER_MIB * 1_024) / EVENT_BYTES_MIN,
  };
}

const ORDER = 'deliveries are told apart by it';
const OURS: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'set brokers instead',
  'metadata.broker.list': 'set brokers instead',
  'enable.idempotence': ORDER,
  acks: 'idempotence needs all',
  'request.required.acks': 'idempotence needs all',
  'queuing.strategy': ORDER,
  dr_cb: ORDER,
  dr_msg_cb: ORDER,
  'delivery.report.only.error': ORDER,
  partitioner: 'users lie where a Java producer puts them',
  partitioner_cb: 'users lie where a Java producer puts them',
  'transactional.id': 'it has no transactions',
  topic: 'set topic instead',
  partition: 'the key decides it',
  'statistics.interval.ms': 'metrics() rests on it',
};
const JAVAS: Readonly<Record<string, string>> = {
  'buffer.memory': 'queue.buffering.max.kbytes, in KiB, and queue.buffering.max.messages',
  'max.request.size': 'message.max.bytes',
  'max.block.ms': 'the option maxBlockMs',
  'partitioner.class': 'nothing: the key decides, as in Java',
  'key.serializer': 'nothing: keys are text',
  'value.serializer': 'nothing: values are JSON',
};
/** Other names of what the profiles set: the profile's must go. */
const ALIASES: Readonly<Record<string, string>> = {
  'compression.codec': 'compression.type',
  'queue.buffering.max.ms': 'linger.ms',
  'message.send.max.retries': 'retries',
  'message.timeout.ms': 'delivery.timeout.ms',
  'max.in.flight': 'max.in.flight.requests.per.connection',
};

/** A profile with what is overridden. Throws CONFIG_INVALID for what can't be, and for Java's names that librdkafka lacks. */
export function profileConfig(
  brokers: string | readonly string[],
  profile: ProducerProfile,
  overrides: LibrdkafkaConfig,
): LibrdkafkaConfig {
  const settings: LibrdkafkaConfig = { ...ALWAYS, ...PROFILES[profile] };
  for (const [name, value] of Object.entries(overrides)) {
    const ours = own(OURS, name);
    if (ours !== undefined) throw refused(name, `can't be overridden: ${ours}`);
    const java = own(JAVAS, name);
    if (java !== undefined) throw refused(name, `is Java's; here it is ${java}`);
    settings[own(ALIASES, name) ?? name] = value;
  }
  return clientConfig(brokers, 'headrace-producer', settings);
}

/** Throws CONFIG_INVALID for a name that is none. */
export function checkedProfile(name: string): ProducerProfile {
  if ((PROFILE_NAMES as string[]).includes(name)) return name as ProducerProfile;
  const near = suggest(name, PROFILE_NAMES);
  const hint = near === undefined ? `take one of ${PROFILE_NAMES.join(', ')}` : `did you mean ${near}?`;
  throw new HeadraceError(
    'CONFIG_INVALID',
    `there is no profile ${JSON.stringify(name)} of the producer; ${hint}`,
  );
}

function own(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function refused(name: string, why: string): HeadraceError {
  return new HeadraceError('CONFIG_INVALID', `overrides: ${name} ${why}`, {
    remedy: 'leave it out of the overrides',
  });
}
