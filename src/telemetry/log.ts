import { createRequire } from 'node:module';
import pino from 'pino';
import { type Clock, systemClock } from '../clock.js';
import { plainFields } from './log-fields.js';

/**
 * The log: JSON lines on stderr, or readable ones on a terminal. stdout belongs to results. Written synchronously: a
 * log has a line every few seconds, and the last one before an exit is the one that matters.
 */

/** What only terminals see is loaded for them only. */
const require = createRequire(import.meta.url);

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'auto' | 'json' | 'pretty';
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Fields first, then a message that is the same every time: what differs belongs into the fields. An `error` field is
 * written on one line as what, where, what the engine does now, what you can do; its stack only at debug.
 */
export interface Log {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** The same log with these fields in every line. */
  child(bindings: LogFields): Log;
}

/** The log of a process, whose level may change while it runs. */
export interface AdjustableLog extends Log {
  setLevel(level: LogLevel): void;
}

/** What most parts need of a log. */
export type PlainLog = Omit<Log, 'trace' | 'child'>;

export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /** Where lines go instead of stderr; for tests. */
  destination?: LineSink;
  /** Whether stderr is a terminal, when not asked of the process. */
  terminal?: boolean;
  clock?: Clock;
}

export interface LineSink {
  write(line: string): void;
}

export function createLog(options: LogOptions): AdjustableLog {
  const { level, format, clock = systemClock, terminal = process.stderr.isTTY === true } = options;
  const destination = options.destination ?? pino.destination({ fd: 2, sync: true });
  const readable = format === 'pretty' || (format === 'auto' && terminal);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    readable ? readableLines(destination, terminal && !noColor()) : destination,
  );
  return new PinoLog(logger);
}

/** The formatter alone: pino-pretty's own stream hands lines on a tick later, too late before an exit. */
function readableLines(destination: LineSink, colorize: boolean): LineSink {
  const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
  const format = prettyFactory({
    colorize,
    messageKey: 'message',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: [],
  });
  return {
    write: (line) => {
      destination.write(format(line) ?? line);
    },
  };
}

class PinoLog implements AdjustableLog {
  readonly #logger: pino.Logger;

  constructor(logger: pino.Logger) {
    this.#logger = logger;
  }

  trace(fields: LogFields, message: string): void {
    this.#write('trace', fields, message);
  }
  debug(fields: LogFields, message: string): void {
    this.#write('debug', fields, message);
  }
  info(fields: LogFields, message: string): void {
    this.#write('info', fields, message);
  }
  warn(fields: LogFields, message: string): void {
    this.#write('warn', fields, message);
  }
  error(fields: LogFields, message: string): void {
    this.#write('error', fields, message);
  }

  /** Children that were made before keep theirs. */
  setLevel(level: LogLevel): void {
    this.#logger.level = level;
  }

  child(bindings: LogFields): Log {
    return new PinoLog(this.#logger.child(plainFields(bindings, false)));
  }

  #write(level: LogLevel, fields: LogFields, message: string): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    this.#logger[level](plainFields(fields, this.#logger.isLevelEnabled('debug')), message);
  }
}

/** https://no-color.org: set and not empty. */
export function noColor(): boolean {
  return (process.env.NO_COLOR ?? '') !== '';
}
