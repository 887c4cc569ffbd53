import { resolve } from 'node:path';
import type { Environment } from './environment.js';
import type { ConfigFlags } from './flags.js';
import { httpProblems, toHttpConfig } from './http.js';
import { toKafkaSecurity } from './kafka-security.js';
import { lakePath } from './lake-path.js';
import { toS3Config } from './lake-place.js';
import { autoSessionMemoryBytes, violatedLimits } from './limits.js';
import { toClickHouseConfig } from './load-clickhouse.js';
import { thisMachine } from './machine.js';
import { archiveProblems, toMaintenanceConfig } from './maintenance.js';
import type { Problem } from './problems.js';
import { type ConfigFile, configSchema } from './schema.js';
import { deepFreeze, modelPath, type NamedText, openSources, readConfigFiles } from './sources.js';
import type {
  ClickHouseConfig,
  EngineConfig,
  HttpConfig,
  KafkaSecurityConfig,
  LakeConfig,
  Machine,
  MaintenanceConfig,
  OutputConfig,
  QualityConfig,
} from './types.js';

/**
 * Flags over the environment over the files over the defaults → one frozen EngineConfig, or a ConfigError with all that is wrong. Paths in
 * the file are relative to the file's folder (a service has no folder of its own), paths in flags to the working folder.
 */

export const RUN_EXAMPLE =
  'headrace run --brokers localhost:9092 --topic clickstream_events --group headrace --model clickstream --lake ./lake';

export interface LoadOptions {
  file?: string;
  flags: ConfigFlags;
}

/** Everything from outside that a configuration depends on. */
export interface Surroundings {
  machine: Machine;
  workingFolder: string;
  environment?: Environment;
}

/** Reads the file, if there is one, and resolves. Throws ConfigError (CONFIG_INVALID, exit 78). */
export function loadConfig({ file, flags }: LoadOptions): EngineConfig {
  return resolveConfig(file === undefined ? undefined : readConfigFiles(file), flags, {
    machine: thisMachine(),
    workingFolder: process.cwd(),
    environment: process.env,
  });
}

/** The same without I/O: a function of its arguments. */
export function resolveConfig(
  file: NamedText | readonly NamedText[] | undefined,
  flags: ConfigFlags,
  surroundings: Surroundings,
): EngineConfig {
  const sources = openSources(file, flags, surroundings.workingFolder, surroundings.environment);
  const data = sources.check(configSchema, RUN_EXAMPLE);
  const problems: Problem[] = [];
  const lake = lakePath(data.lake.path, sources.folderOf('lake.path'));
  if ('problem' in lake) problems.push({ path: 'lake.path', message: lake.problem });
  problems.push(...halfOfTheKeys(data));
  const archiveFolder = sources.folderOf('lake.maintenance.archive_to');
  if (!('problem' in lake))
    problems.push(...archiveProblems(data.lake.maintenance, archiveFolder, lake.path));
  const fileAt = (setting: string, file: string) => resolve(sources.folderOf(setting), file);
  const config = toEngineConfig(data, surroundings.machine, {
    lake: { path: 'problem' in lake ? '' : lake.path, s3: toS3Config(data.lake.s3, fileAt) },
    model: modelPath(data.model, sources),
    clickhouse: data.clickhouse === undefined ? null : toClickHouseConfig(data.clickhouse, sources),
    maintenance: toMaintenanceConfig(data.lake.maintenance, archiveFolder, surroundings.machine),
    http: toHttpConfig(data.http, (file) => fileAt('http.token_file', file)),
    security: toKafkaSecurity(data.kafka.security, fileAt),
  });
  problems.push(
    ...violatedLimits(config, surroundings.machine),
    ...sameTopics(config),
    ...httpProblems(config.http),
  );
  if (problems.length > 0) throw sources.error(problems);
  return deepFreeze(config);
}

/** An access key is two things, and a session's token is of no use without both. */
function halfOfTheKeys({ lake: { s3 } }: ConfigFile): Problem[] {
  const pair = ['access_key_id_file', 'secret_access_key_file'] as const;
  const missing = pair.filter((name) => s3[name] === undefined);
  const given = s3.session_token_file === undefined ? 2 - missing.length : 1;
  if (given === 0 || missing.length === 0) return [];
  const path =
    s3.session_token_file === undefined
      ? pair.find((name) => !missing.includes(name))!
      : 'session_token_file';
  const message = `needs ${missing.map((name) => `lake.s3.${name}`).join(' and ')} too`;
  return [{ path: `lake.s3.${path}`, message }];
}

function toEngineConfig(
  file: ConfigFile,
  machine: Machine,
  named: {
    lake: LakeConfig;
    model: string;
    clickhouse: ClickHouseConfig | null;
    maintenance: MaintenanceConfig;
    http: HttpConfig | null;
    security: KafkaSecurityConfig;
  },
): EngineConfig {
  const { lake, model, clickhouse, maintenance, http, security } = named;
  const workers = file.workers === 'auto' ? Math.max(1, machine.cores - 1) : file.workers;
  const fetch = {
    partitionBytes: file.fetch.partition_bytes,
    inFlightBytes: file.fetch.in_flight_bytes,
    responseBytesMax: file.fetch.response_bytes_max,
    maxWaitMs: file.fetch.max_wait,
  };
  const limits = {
    ringBytes: file.limits.ring_bytes,
    sessionMemoryBytes: 0,
    cutsInFlight: file.limits.cuts_in_flight,
    recordBytesMax: file.limits.record_bytes_max,
    decompressedBatchBytesMax: file.limits.decompressed_batch_bytes_max,
  };
  const asked = file.limits.session_memory_bytes;
  const sessionMemoryBytes =
    asked === 'auto'
      ? autoSessionMemoryBytes({ workers, engine: file.engine, fetch, limits, clickhouse }, machine)
      : asked;
  return {
    kafka: {
      brokers: file.kafka.brokers,
      topic: file.kafka.topic,
      group: file.kafka.group,
      groupProtocol: file.kafka.group_protocol,
      sessionTimeoutMs: file.kafka.session_timeout,
      instanceId: file.kafka.instance_id ?? null,
      clientId: file.kafka.client_id,
      rack: file.kafka.rack ?? null,
      start: file.kafka.start,
      acceptGaps: file.kafka.accept_gaps,
      acceptTopic: file.kafka.accept_topic ?? null,
      isolation: file.kafka.isolation,
      security,
      librdkafka: file.kafka.librdkafka,
    },
    fetch,
    model,
    lake,
    maintenance,
    clickhouse,
    output: toOutputConfig(file),
    quality: toQualityConfig(file),
    http,
    cutIntervalMs: file.cut_interval,
    snapshotIntervalMs: file.snapshot_interval,
    drainTimeoutMs: file.drain_timeout,
    workers,
    engine: file.engine,
    limits: { ...limits, sessionMemoryBytes },
    log: file.log,
  };
}

function toQualityConfig({ quality: { min, over, events } }: ConfigFile): QualityConfig | null {
  return min === 'off' ? null : { min, overMs: over, eventsMin: events };
}

/** What is not named is called after the source topic. */
function toOutputConfig({ kafka: { topic }, output }: ConfigFile): OutputConfig | null {
  if (output === undefined) return null;
  return {
    topic: output.topic ?? `${topic}_enriched`,
    deadLetters: output.dead_letters ?? `${topic}_dlq`,
    positions: output.positions ?? `${topic}_positions`,
    missingPosition: output.missing_position,
  };
}

/** Rows, dead letters and positions each need a topic of their own, and none may come back as events. */
function sameTopics({ kafka, output }: EngineConfig): Problem[] {
  if (output === null) return [];
  const seen = new Map([[kafka.topic, 'kafka.topic']]);
  const named = {
    'output.topic': output.topic,
    'output.dead_letters': output.deadLetters,
    'output.positions': output.positions,
  };
  return Object.entries(named).flatMap(([path, name]) => {
    const other = seen.get(name);
    seen.set(name, path);
    return other === undefined ? [] : [{ path, message: `must be another topic than ${other}` }];
  });
}
