import { z } from 'zod';
import { clickHouseSettingProblem } from './clickhouse-settings.js';
import { clickHouseProblem, clickHouseUrls } from './clickhouse-url.js';
import {
  brokers,
  count,
  duration,
  fractionOrOff,
  oneOf,
  orAuto,
  properties,
  section,
  size,
  sizeOrAuto,
  text,
} from './fields.js';
import { acceptedGaps } from './gaps.js';
import { http } from './http.js';
import { kafkaSecurity } from './kafka-security.js';
import { librdkafkaProblem } from './librdkafka.js';
import { maintenance } from './maintenance.js';
import { s3Endpoint } from './s3-endpoint.js';
import { startPlace } from './start-place.js';
import { WAREHOUSE_FIELDS, warehouseProblem } from './warehouse.js';

/**
 * The configuration file: its words, their types, ranges and defaults. config/default.yaml shows the same defaults with
 * what each is for, and a test holds the two equal. What settings must satisfy together is in limits.ts.
 */

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const HOUR_MS = 3_600_000;
/** Kafka counts bytes of a request in 32 signed bits. */
const KAFKA_BYTES_MAX = 2 ** 31 - 1;

const topic = text('a topic', {
  pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/,
  says: 'must be a topic name: letters, digits, dot, dash and underscore, at most 249',
});

const kafka = section({
  brokers: brokers(),
  topic,
  group: text('a consumer group'),
  group_protocol: oneOf(['classic', 'consumer']).prefault('classic'),
  // brokers refuse less than 6s and more than 30m unless they are configured otherwise
  session_timeout: duration({ minMs: 6_000, maxMs: HOUR_MS / 2 }).prefault('10s'),
  instance_id: text('an instance id').optional(),
  client_id: text('a client id').prefault('headrace'),
  rack: text('a rack').optional(),
  start: startPlace().prefault('earliest'),
  accept_gaps: acceptedGaps().prefault([]),
  accept_topic: text('a topic id', {
    pattern: /^[0-9a-f]{32}$/,
    says: 'must be the id of a topic as the engine names it: 32 hex digits',
  }).optional(),
  isolation: oneOf(['read_committed', 'read_uncommitted']).prefault('read_committed'),
  security: kafkaSecurity,
  librdkafka: properties(librdkafkaProblem).prefault({}),
}).prefault({} as never);

const fetch = section({
  partition_bytes: size({ minBytes: 16 * KiB, maxBytes: KAFKA_BYTES_MAX }).prefault('1MiB'),
  in_flight_bytes: size({ minBytes: 16 * KiB, maxBytes: 64 * GiB }).prefault('64MiB'),
  response_bytes_max: size({ minBytes: 16 * KiB, maxBytes: KAFKA_BYTES_MAX }).prefault('128MiB'),
  max_wait: duration({ minMs: 1, maxMs: 30_000 }).prefault('500ms'),
}).prefault({});

const limits = section({
  ring_bytes: size({ minBytes: MiB, maxBytes: 2 * GiB }).prefault('64MiB'),
  session_memory_bytes: sizeOrAuto({ minBytes: 16 * MiB, maxBytes: 1024 * GiB }).prefault('auto'),
  cuts_in_flight: count(1, 4).prefault(4),
  record_bytes_max: size({ minBytes: KiB, maxBytes: GiB }).prefault('16MiB'),
  decompressed_batch_bytes_max: size({ minBytes: 64 * KiB, maxBytes: GiB }).prefault('128MiB'),
}).prefault({});

const s3 = section({
  endpoint: s3Endpoint().optional(),
  region: text('a region', {
    pattern: /^[a-z0-9-]{1,64}$/,
    says: 'must be a region such as eu-central-1, or auto',
  }).optional(),
  path_style: orAuto(z.boolean(), 'true or false').prefault('auto'),
  access_key_id_file: text('a file').optional(),
  secret_access_key_file: text('a file').optional(),
  session_token_file: text('a file').optional(),
  request_timeout: duration({ minMs: 1_000, maxMs: 300_000 }).prefault('10s'),
}).prefault({});

/** What needs no quoting anywhere in ClickHouse. */
const database = text('a database', {
  pattern: /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
  says: 'must be a name: letters, digits and _, not beginning with a digit',
});
const table = text('a table', {
  pattern: /^(?!(?:sessions|headrace_files|headrace_positions)$)[A-Za-z_][A-Za-z0-9_]{0,127}$/,
  says: 'must be a name: letters, digits and _, not beginning with a digit, and none of sessions, headrace_files, headrace_positions',
});

const clickhouse = section({
  url: clickHouseUrls(),
  database: database.optional(),
  table: table.prefault('session_metrics'),
  user: text('a user').optional(),
  user_file: text('a file').optional(),
  password_file: text('a file').optional(),
  ca_file: text('a file').optional(),
  cert_file: text('a file').optional(),
  key_file: text('a file').optional(),
  request_timeout: duration({ minMs: 1_000, maxMs: HOUR_MS }).prefault('30s'),
  kept_bytes: size({ minBytes: 0, maxBytes: 64 * GiB }).prefault('64MiB'),
  settings: properties(clickHouseSettingProblem).prefault({}),
  ...WAREHOUSE_FIELDS,
}).superRefine((values, context) => {
  const problem = clickHouseProblem(values) ?? warehouseProblem(values);
  if (problem !== undefined)
    context.addIssue({ code: 'custom', path: [problem.path], message: problem.message });
});

const output = section({
  topic: topic.optional(),
  dead_letters: topic.optional(),
  positions: topic.optional(),
  missing_position: oneOf(['halt', 'earliest', 'latest']).prefault('halt'),
});

const quality = section({
  min: fractionOrOff().prefault('off'),
  over: duration({ minMs: 1_000, maxMs: HOUR_MS }).prefault('60s'),
  events: count(1, 1_000_000_000).prefault(1_000),
}).prefault({});

const log = section({
  level: oneOf(['trace', 'debug', 'info', 'warn', 'error']).prefault('info'),
  format: oneOf(['auto', 'json', 'pretty']).prefault('auto'),
}).prefault({});

export const configSchema = section({
  kafka,
  fetch,
  model: text('the name of a shipped model, or the path of a model file'),
  lake: section({ path: text('a folder or s3://bucket/prefix'), s3, maintenance }).prefault({} as never),
  clickhouse: clickhouse.optional(),
  output: output.optional(),
  quality,
  http,
  cut_interval: duration({ minMs: 50, maxMs: HOUR_MS }).prefault('1s'),
  snapshot_interval: duration({ minMs: 1_000, maxMs: 24 * HOUR_MS }).prefault('30s'),
  drain_timeout: duration({ minMs: 1_000, maxMs: HOUR_MS }).prefault('25s'),
  workers: orAuto(count(1, 256), 'a whole number from 1 to 256').prefault('auto'),
  engine: oneOf(['kernel', 'reference']).prefault('kernel'),
  limits,
  log,
});

/** What of a configuration is enough to prepare ClickHouse's tables. */
export const clickHouseSchema = section({
  model: configSchema.shape.model,
  clickhouse: clickhouse.prefault({} as never),
});

/** A valid file, durations in ms and sizes in bytes, defaults filled in. */
export type ConfigFile = z.output<typeof configSchema>;

/** Every path of the schema in the file's words, sections included: what a mistyped key may have meant. */
export function settingPaths(schema: z.ZodType = configSchema, prefix: readonly string[] = []): string[][] {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, type]) => {
    const path = [...prefix, key];
    return [path, ...settingPaths(type, path)];
  });
}

function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrapped(schema.unwrap() as z.ZodType);
  }
  return schema;
}
