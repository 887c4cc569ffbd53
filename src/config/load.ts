import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MISSING } from './fields.js';
import { type ConfigText, FILE_BYTES_MAX, parseConfigText } from './file.js';
import { type ConfigFlags, flagFor, overlay } from './flags.js';
import { problemsOf } from './issues.js';
import { autoSessionMemoryBytes, violatedLimits } from './limits.js';
import { thisMachine } from './machine.js';
import { ConfigError, type Problem } from './problems.js';
import { type ConfigFile, configSchema } from './schema.js';
import type { EngineConfig, Machine } from './types.js';

/**
 * Flags over the file over the defaults → one frozen EngineConfig, or a ConfigError with all that is wrong. Paths in
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
}

/** Reads the file, if there is one, and resolves. Throws ConfigError (CONFIG_INVALID, exit 78). */
export function loadConfig({ file, flags }: LoadOptions): EngineConfig {
  const text = file === undefined ? undefined : readConfigFile(file);
  return resolveConfig(text === undefined ? undefined : { name: file!, text }, flags, {
    machine: thisMachine(),
    workingFolder: process.cwd(),
  });
}

/** The same without I/O: a function of its arguments. */
export function resolveConfig(
  file: { name: string; text: string } | undefined,
  flags: ConfigFlags,
  surroundings: Surroundings,
): EngineConfig {
  const parsed: ConfigText | undefined = file === undefined ? undefined : parseConfigText(file.text);
  if (parsed !== undefined && parsed.problems.length > 0) throw new ConfigError(parsed.problems, file?.name);

  const { root, origins } = overlay(parsed?.root ?? {}, flags);
  const located = (problem: Problem): Problem => {
    const flag = origins.get(problem.path);
    if (flag !== undefined) return { ...problem, flag };
    return { ...problem, line: parsed?.lineOf(problem.path) };
  };
  const result = configSchema.safeParse(root);
  if (!result.success) {
    const problems = problemsOf(result.error.issues);
    const missing = problems.some(({ message }) => message === MISSING);
    throw new ConfigError(problems.map(howToSet).map(located), file?.name, missing ? RUN_EXAMPLE : undefined);
  }

  const problems: Problem[] = [];
  const fileFolder = dirname(resolve(surroundings.workingFolder, file?.name ?? '.'));
  const folderOf = (path: string) => (origins.has(path) ? surroundings.workingFolder : fileFolder);
  const lake = lakePath(result.data.lake.path, folderOf('lake.path'));
  if (typeof lake !== 'string') problems.push(lake);
  const config = toEngineConfig(result.data, surroundings.machine, {
    lake: typeof lake === 'string' ? lake : '',
    model: modelName(result.data.model, folderOf('model')),
  });
  problems.push(...violatedLimits(config, surroundings.machine));
  if (problems.length > 0) throw new ConfigError(problems.map(located), file?.name);
  return deepFreeze(config);
}

function readConfigFile(file: string): string {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) {
      throw new ConfigError([{ path: '', message: 'is larger than 1MiB: not a configuration' }], file);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = READ_FAILURES[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message;
    throw new ConfigError([{ path: '', flag: `--config ${file}`, message: reason }], file);
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder; name the file in it',
  EACCES: 'may not be read by this user',
};

/** What is missing names its flag; the lake says why there is no engine without it. */
function howToSet(problem: Problem): Problem {
  if (problem.message !== MISSING) return problem;
  const flag = flagFor(problem.path);
  const how = flag === undefined ? '' : `: give it in the file or as ${flag}`;
  const why =
    problem.path === 'lake.path'
      ? '; the ledger lives in the sessions table, so no engine runs without a lake'
      : '';
  return { ...problem, message: `${MISSING}${how}${why}` };
}

/** A local folder as an absolute path. Other kinds of stores are refused by name, not taken for folders. */
function lakePath(path: string, folder: string): string | Problem {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return resolve(folder, path);
  if (path.startsWith('file://')) {
    try {
      return fileURLToPath(path);
    } catch {
      return { path: 'lake.path', message: 'is not a file URL of this machine: write file:///folder' };
    }
  }
  const scheme = path.slice(0, path.indexOf(':'));
  return { path: 'lake.path', message: `must be a local folder: ${scheme}:// is not supported yet` };
}

/** A bare word names a shipped model; what has a slash or ends in .yaml is a file. */
function modelName(model: string, folder: string): string {
  return /[/\\]|\.ya?ml$/i.test(model) ? resolve(folder, model) : model;
}

function toEngineConfig(
  file: ConfigFile,
  machine: Machine,
  { lake, model }: { lake: string; model: string },
): EngineConfig {
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
      ? autoSessionMemoryBytes({ workers, engine: file.engine, fetch, limits }, machine)
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
      isolation: file.kafka.isolation,
      librdkafka: file.kafka.librdkafka,
    },
    fetch,
    model,
    lake: { path: lake },
    clickhouse: null,
    cutIntervalMs: file.cut_interval,
    snapshotIntervalMs: file.snapshot_interval,
    drainTimeoutMs: file.drain_timeout,
    workers,
    engine: file.engine,
    limits: { ...limits, sessionMemoryBytes },
    log: file.log,
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) deepFreeze(item);
  return Object.freeze(value);
}
