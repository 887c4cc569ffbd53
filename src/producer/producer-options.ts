import { suggest } from '../config/suggest.js';
import { HeadraceError } from '../errors.js';
import type { LibrdkafkaConfig } from '../kafka/librdkafka.js';
import type { PlainLog } from '../telemetry/log.js';
import type { ProducerModel } from './events.js';
import { checkedProfile, type ProducerProfile, profileConfig } from './profiles.js';

export type Override = string | number | boolean | ((...args: never[]) => unknown);

export interface ProducerOptions<Model extends ProducerModel = 'clickstream'> {
  /** `host:port` each, as a list or with commas between them. */
  brokers: string | readonly string[];
  /** clickstream_events or web_clicks by default, as the model says. */
  topic?: string;
  /** What an event looks like and which field is its key: `clickstream` (user_id, the default) or `web_clicks` (session_id). */
  model?: Model;
  /**
   * - `default`: 32 KiB batches, 10 ms of linger, 64 MiB of buffer, lz4, retries without end within 120 s.
   * - `throughput`: 64 KiB, 100 ms, 128 MiB.
   * - `latency`: each event at once.
   * - `reliability`: as `default`, which leaves nothing to add to it.
   * - `web_clicks`: snappy and 3 retries; the default of that model, and for it only.
   *
   * Idempotent, acknowledged by all in-sync replicas, at most 5 requests under way: all of them.
   */
  profile?: ProducerProfile;
  /**
   * librdkafka's properties over the profile's: `ssl.*`, `sasl.*`, `linger.ms`, `delivery.timeout.ms` …; a function is for
   * oauthbearer_token_refresh_cb.
   */
  overrides?: Readonly<Record<string, Override>>;
  /** Anything with debug, info, warn and error of (fields, message): pino, console. JSON lines on stderr by default. */
  log?: PlainLog;
  /** How long send() waits for room in the buffer, ms; 60,000 by default, as Java's max.block.ms. */
  maxBlockMs?: number;
  /** A file that always has the newest metrics() as JSON, for `headrace monitor --producers`; none by default. */
  metricsFile?: string;
  /** How long connect() waits for a broker, ms; 30,000 by default. */
  connectTimeoutMs?: number;
}

/** The options, checked and filled up. */
export interface ProducerSettings {
  brokers: readonly string[];
  topic: string;
  model: ProducerModel;
  profile: ProducerProfile;
  /** Null: none. */
  metricsFile: string | null;
  config: LibrdkafkaConfig;
  bufferBytesMax: number;
  bufferMessagesMax: number;
  deliveryTimeoutMs: number;
  maxBlockMs: number;
  connectTimeoutMs: number;
  /** Without TLS and SASL. */
  isPlain: boolean;
}

const TOPICS: Readonly<Record<ProducerModel, string>> = {
  clickstream: 'clickstream_events',
  web_clicks: 'web_clicks',
};
const MODELS = Object.keys(TOPICS) as ProducerModel[];
const MAX_BLOCK_MS = 60_000;
const CONNECT_TIMEOUT_MS = 30_000;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

/** Throws CONFIG_INVALID. */
export function checkedOptions(options: ProducerOptions<ProducerModel>): ProducerSettings {
  const brokers = checkedBrokers(options.brokers);
  const profileName = options.profile ?? (options.model === 'web_clicks' ? 'web_clicks' : 'default');
  const profile = checkedProfile(profileName);
  const model = checkedModel(options.model ?? (profile === 'web_clicks' ? 'web_clicks' : 'clickstream'));
  if (profile === 'web_clicks' && model !== 'web_clicks') {
    throw invalid(`the profile web_clicks is for the model of that name, not for ${model}`);
  }
  const topic = options.topic ?? TOPICS[model];
  if (!TOPIC_NAME.test(topic)) throw invalid(`topic: ${JSON.stringify(topic)} is no name of a topic`);
  const config = profileConfig(brokers, profile, options.overrides ?? {});
  return {
    brokers,
    topic,
    model,
    profile,
    metricsFile: options.metricsFile ?? null,
    config,
    bufferBytesMax: whole(config, 'queue.buffering.max.kbytes') * 1_024,
    // none is none
    bufferMessagesMax: whole(config, 'queue.buffering.max.messages', 0) || Number.POSITIVE_INFINITY,
    deliveryTimeoutMs: whole(config, 'delivery.timeout.ms', 0),
    maxBlockMs: checkedMs('maxBlockMs', options.maxBlockMs ?? MAX_BLOCK_MS),
    connectTimeoutMs: checkedMs('connectTimeoutMs', options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
    isPlain: String(config['security.protocol'] ?? 'plaintext').toLowerCase() === 'plaintext',
  };
}

function checkedBrokers(brokers: ProducerOptions['brokers']): readonly string[] {
  const list = (typeof brokers === 'string' ? brokers.split(',') : [...(brokers ?? [])])
    .map((each) => String(each).trim())
    .filter((each) => each !== '');
  const wrong = list.find((each) => !/^.+:\d{1,5}$/.test(each));
  if (list.length === 0) throw invalid('brokers: there is none', 'write host:port, as in localhost:9092');
  if (wrong !== undefined) throw invalid(`brokers: ${wrong} has no port`, `write ${wrong}:9092`);
  return list;
}

function checkedModel(name: string): ProducerModel {
  if ((MODELS as string[]).includes(name)) return name as ProducerModel;
  const near = suggest(name, MODELS);
  const hint = near === undefined ? `take one of ${MODELS.join(', ')}` : `did you mean ${near}?`;
  throw invalid(`the producer knows no events of the model ${JSON.stringify(name)}; ${hint}`);
}

function checkedMs(name: string, ms: number): number {
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw invalid(`${name}: ${ms} is no number of milliseconds`);
}

function whole(config: LibrdkafkaConfig, name: string, least = 1): number {
  const value = Number(config[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw invalid(`overrides: ${name} is ${JSON.stringify(config[name])}, not a whole number from ${least} on`);
}

function invalid(message: string, remedy?: string): HeadraceError {
  return new HeadraceError('CONFIG_INVALID', message, remedy === undefined ? {} : { remedy });
}
