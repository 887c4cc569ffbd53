/**
 * Errors that users and operators meet: what happened, where, and what they can do.
 *
 * Every failure has a domain (whose fault it is) and a disposition (what the engine does now). Outcomes that are
 * expected, such as a full ring or a lost commit race, are values and never appear here.
 */

/** Whose fault: bytes from outside, the configuration, a service, or ourselves. */
export type ErrorDomain = 'input' | 'config' | 'external' | 'internal';

/** What the engine does: try again, drop the item, give the lane up, halt the lane, or end the process. */
export type Disposition = 'retry' | 'skip' | 'fence' | 'halt' | 'exit';

/** One row a kind of failure. `exit` codes follow sysexits(3). */
export const ERROR_CODES = {
  CONFIG_INVALID: { domain: 'config', disposition: 'exit', exitCode: 78 },
  MODEL_INVALID: { domain: 'config', disposition: 'exit', exitCode: 78 },
  USAGE: { domain: 'config', disposition: 'exit', exitCode: 64 },
  LAKE_UNWRITABLE: { domain: 'config', disposition: 'exit', exitCode: 78 },
  LAKE_NOT_OURS: { domain: 'config', disposition: 'exit', exitCode: 78 },
  LAKE_LOG_CORRUPT: { domain: 'external', disposition: 'exit', exitCode: 70 },
  LAKE_FILE_BROKEN: { domain: 'external', disposition: 'exit', exitCode: 70 },
  LAKE_IO: { domain: 'external', disposition: 'retry', exitCode: 75 },
  SNAPSHOT_UNUSABLE: { domain: 'external', disposition: 'skip', exitCode: 75 },
  REPLAY_DIFFERS: { domain: 'internal', disposition: 'halt', exitCode: 70 },
  KAFKA_UNREACHABLE: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_PROTOCOL: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_TLS: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_AUTH: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_RESPONSE_TOO_LARGE: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_TOO_OLD: { domain: 'external', disposition: 'exit', exitCode: 69 },
  KAFKA_TOPIC_MISSING: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_TOPIC_CHANGED: { domain: 'external', disposition: 'halt', exitCode: 75 },
  KAFKA_MIN_ISR: { domain: 'external', disposition: 'retry', exitCode: 75 },
  KAFKA_REFUSED: { domain: 'config', disposition: 'exit', exitCode: 78 },
  OFFSET_OUT_OF_RANGE: { domain: 'external', disposition: 'halt', exitCode: 75 },
  LOG_TRUNCATED: { domain: 'external', disposition: 'halt', exitCode: 75 },
  BATCH_CORRUPT: { domain: 'input', disposition: 'halt', exitCode: 75 },
  BATCH_UNSUPPORTED: { domain: 'input', disposition: 'halt', exitCode: 75 },
  BATCH_TOO_LARGE: { domain: 'input', disposition: 'halt', exitCode: 75 },
  QUALITY_LOW: { domain: 'input', disposition: 'halt', exitCode: 75 },
  SESSION_MEMORY_FULL: { domain: 'external', disposition: 'halt', exitCode: 75 },
  CLICKHOUSE_UNREACHABLE: { domain: 'external', disposition: 'retry', exitCode: 75 },
  CLICKHOUSE_AUTH: { domain: 'external', disposition: 'retry', exitCode: 75 },
  CLICKHOUSE_UNFIT: { domain: 'config', disposition: 'exit', exitCode: 78 },
  CLICKHOUSE_REFUSED: { domain: 'external', disposition: 'retry', exitCode: 75 },
  CLICKHOUSE_RESTORED: { domain: 'external', disposition: 'halt', exitCode: 75 },
  OUTPUT_UNFIT: { domain: 'config', disposition: 'retry', exitCode: 75 },
  OUTPUT_HALTED: { domain: 'external', disposition: 'halt', exitCode: 75 },
  CHDB_UNAVAILABLE: { domain: 'config', disposition: 'exit', exitCode: 69 },
  CHDB_QUERY: { domain: 'external', disposition: 'exit', exitCode: 70 },
  EVENT_INVALID: { domain: 'input', disposition: 'skip', exitCode: 65 },
  EVENT_TOO_LARGE: { domain: 'input', disposition: 'skip', exitCode: 65 },
  DELIVERY_TIMED_OUT: { domain: 'external', disposition: 'retry', exitCode: 75 },
  PRODUCER_BUFFER_FULL: { domain: 'external', disposition: 'retry', exitCode: 75 },
  PRODUCER_CLOSED: { domain: 'config', disposition: 'exit', exitCode: 64 },
  ENGINE_UNREACHABLE: { domain: 'external', disposition: 'retry', exitCode: 75 },
  ENGINE_AUTH: { domain: 'external', disposition: 'retry', exitCode: 75 },
  NOT_AN_ENGINE: { domain: 'config', disposition: 'exit', exitCode: 69 },
  HTTP_LISTEN: { domain: 'config', disposition: 'exit', exitCode: 78 },
  DEMO_FAILED: { domain: 'external', disposition: 'exit', exitCode: 1 },
  INVARIANT: { domain: 'internal', disposition: 'exit', exitCode: 70 },
} as const satisfies Record<string, { domain: ErrorDomain; disposition: Disposition; exitCode: number }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Coordinates of a failure, printed as `key=value`: topic, partition, offset, broker, path, key, version. */
export type Where = Readonly<Record<string, string | number | bigint | undefined>>;

export class HeadraceError extends Error {
  readonly code: ErrorCode;
  readonly where: Where;
  /** What the operator can do, as a sentence. */
  readonly remedy: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { where?: Where; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HeadraceError';
    this.code = code;
    this.where = options.where ?? {};
    this.remedy = options.remedy;
  }

  get domain(): ErrorDomain {
    return ERROR_CODES[this.code].domain;
  }

  get disposition(): Disposition {
    return ERROR_CODES[this.code].disposition;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }

  /** One line: what, where, what to do. */
  override toString(): string {
    const where = Object.entries(this.where)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ');
    const parts = [`${this.code}: ${this.message}`];
    if (where !== '') parts.push(`(${where})`);
    if (this.remedy !== undefined) parts.push(`— ${this.remedy}`);
    return parts.join(' ');
  }

  /** A form that survives a MessagePort. */
  toPlain(): PlainError {
    return { code: this.code, message: this.message, where: { ...this.where }, remedy: this.remedy };
  }

  static fromPlain(plain: PlainError): HeadraceError {
    return new HeadraceError(plain.code, plain.message, {
      where: plain.where,
      ...(plain.remedy === undefined ? {} : { remedy: plain.remedy }),
    });
  }
}

export interface PlainError {
  code: ErrorCode;
  message: string;
  where: Where;
  remedy: string | undefined;
}

/** The message of anything thrown, without a stack, on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof HeadraceError) return error.toString();
  if (error instanceof Error) {
    const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`;
    return `${error.message}${cause}`.replace(/\s*\n\s*/g, ' ');
  }
  return String(error);
}
