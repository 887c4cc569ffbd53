/**
 * The flags that set something of the configuration. They carry what was typed: the schema judges it, so that a flag
 * and the file are held to the same rules.
 */

export interface ConfigFlags {
  brokers?: string;
  topic?: string;
  group?: string;
  model?: string;
  lake?: string;
  clickhouse?: string;
  clickhouseDatabase?: string;
  clickhouseUser?: string;
  clickhousePasswordFile?: string;
  missingPosition?: string;
  qualityMin?: string;
  http?: string;
  workers?: string;
  engine?: string;
  groupProtocol?: string;
  start?: string;
  acceptGap?: string;
  acceptTopic?: string;
  cutInterval?: string;
  logLevel?: string;
  /** Logs as JSON, whatever they are written to. */
  json?: boolean;
}

interface FlagPath {
  flag: string;
  /** Where its value belongs, in the file's words. */
  path: readonly string[];
}

const FLAG_PATHS: Readonly<Record<keyof ConfigFlags, FlagPath>> = {
  brokers: { flag: '--brokers', path: ['kafka', 'brokers'] },
  topic: { flag: '--topic', path: ['kafka', 'topic'] },
  group: { flag: '--group', path: ['kafka', 'group'] },
  model: { flag: '--model', path: ['model'] },
  lake: { flag: '--lake', path: ['lake', 'path'] },
  clickhouse: { flag: '--clickhouse', path: ['clickhouse', 'url'] },
  clickhouseDatabase: { flag: '--clickhouse-database', path: ['clickhouse', 'database'] },
  clickhouseUser: { flag: '--clickhouse-user', path: ['clickhouse', 'user'] },
  clickhousePasswordFile: { flag: '--clickhouse-password-file', path: ['clickhouse', 'password_file'] },
  missingPosition: { flag: '--missing-position', path: ['output', 'missing_position'] },
  qualityMin: { flag: '--quality-min', path: ['quality', 'min'] },
  http: { flag: '--http', path: ['http', 'listen'] },
  workers: { flag: '--workers', path: ['workers'] },
  engine: { flag: '--engine', path: ['engine'] },
  groupProtocol: { flag: '--group-protocol', path: ['kafka', 'group_protocol'] },
  start: { flag: '--start', path: ['kafka', 'start'] },
  acceptGap: { flag: '--accept-gap', path: ['kafka', 'accept_gaps'] },
  acceptTopic: { flag: '--accept-topic', path: ['kafka', 'accept_topic'] },
  cutInterval: { flag: '--cut-interval', path: ['cut_interval'] },
  logLevel: { flag: '--log-level', path: ['log', 'level'] },
  json: { flag: '--json', path: ['log', 'format'] },
};

/** The flag for a path, e.g. kafka.topic → `--topic`. */
export function flagFor(path: string): string | undefined {
  return Object.values(FLAG_PATHS).find((entry) => entry.path.join('.') === path)?.flag;
}

export interface Overlaid {
  root: Record<string, unknown>;
  /** path → the flag that gave its value */
  origins: ReadonlyMap<string, string>;
}

/** The file's values with the flags' in their places. The given root stays as it is. */
export function overlay(root: Readonly<Record<string, unknown>>, flags: ConfigFlags): Overlaid {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), root);
  const origins = new Map<string, string>();
  for (const [name, { flag, path }] of Object.entries(FLAG_PATHS) as [keyof ConfigFlags, FlagPath][]) {
    const value = typedValue(name, flags[name]);
    if (value === undefined) continue;
    const [first = '', second] = path;
    if (second === undefined) {
      merged[first] = value;
    } else {
      const section = merged[first];
      // a section that is no map stays, for the schema to refuse
      if (section !== undefined && (typeof section !== 'object' || Array.isArray(section))) continue;
      merged[first] = { ...(section as object | undefined), [second]: value };
    }
    origins.set(path.join('.'), flag);
  }
  return { root: merged, origins };
}

function typedValue(name: keyof ConfigFlags, typed: string | boolean | undefined): unknown {
  if (name === 'json') return typed === true ? 'json' : undefined;
  if (name === 'workers' && typeof typed === 'string' && /^\d+$/.test(typed)) return Number(typed);
  if (name === 'qualityMin' && typeof typed === 'string' && /^\d*\.?\d+$/.test(typed)) return Number(typed);
  return typed;
}
