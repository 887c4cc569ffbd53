import type { Clock } from '../clock.js';
import type { LogFields, PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import type { Statistics } from './group-statistics.js';
import type { Failure, FailureKind } from './librdkafka.js';

/**
 * Tells what keeps the group member from its work: one line every few seconds for as long as it lasts.
 *
 * librdkafka reports a failure once, when it begins. So each kind is remembered until the statistics or an assignment
 * show that it is over, and told again by check().
 */
const LINES: Partial<Record<FailureKind, { level: 'warn' | 'error'; message: string }>> = {
  unreachable: { level: 'warn', message: 'no Kafka broker answers the group member; retrying' },
  auth: {
    level: 'error',
    message:
      'Kafka refuses our credentials or rights: grant this principal Read on topic and group; retrying',
  },
  topic: { level: 'warn', message: 'the topic does not exist or is not visible to us; waiting for it' },
  fatal: { level: 'error', message: 'the Kafka client gave up its membership; joining anew' },
  other: { level: 'warn', message: 'the Kafka client reports trouble' },
};

/** Kinds that last until something shows that they are over. */
const LASTING: readonly FailureKind[] = ['unreachable', 'auth', 'topic'];

/** syslog: errors and worse are worth a look when nothing answers; the rest is for debugging. */
const SEVERITY_ERROR = 3;

export class GroupTrouble {
  readonly #where: LogFields;
  readonly #log: PlainLog;
  readonly #limited: RepeatLimitedLog;
  readonly #lasting = new Map<FailureKind, string>();
  /** What the native client logged last about a connection: host, port and reason. */
  #detail: string | undefined;

  constructor(options: {
    log: PlainLog;
    clock: Clock;
    brokers: string | readonly string[];
    topic: string;
    groupId: string;
  }) {
    this.#log = options.log;
    this.#limited = new RepeatLimitedLog(options.log, options.clock);
    this.#where = { brokers: String(options.brokers), topic: options.topic, group: options.groupId };
  }

  noteLog(severity: number, message: string): void {
    if (severity <= SEVERITY_ERROR) this.#detail = message;
    this.#log.debug({ librdkafka: message }, 'librdkafka');
  }

  note(failure: Failure): void {
    // One broker of several may be away: only the statistics tell whether none is left.
    if (failure.kind === 'unreachable' || failure.kind === 'stale') return;
    if (LASTING.includes(failure.kind)) this.#lasting.set(failure.kind, failure.text);
    this.#tell(failure.kind, failure.text);
  }

  /** To be called regularly, with the newest statistics and the number of partitions that we own. */
  check(statistics: Statistics | null, owned: number): void {
    if (statistics !== null && statistics.brokersUp > 0) {
      this.#answered();
      // Who owns partitions has the topic and the rights; what is refused later is told when it happens.
      if (owned > 0) this.#lasting.clear();
    } else if (statistics !== null && !this.#lasting.has('auth')) {
      this.#lasting.set('unreachable', this.#detail ?? 'no connection');
    }
    for (const [kind, text] of this.#lasting) {
      this.#tell(kind, kind === 'topic' ? text : (this.#detail ?? text));
    }
  }

  #answered(): void {
    this.#detail = undefined;
    if (this.#lasting.delete('unreachable')) this.#log.info(this.#where, 'Kafka answers again');
  }

  #tell(kind: FailureKind, text: string): void {
    const line = LINES[kind];
    if (line === undefined) return;
    // Each distinct report of the last kind is a subject of its own; of the others there is one.
    const key = kind === 'other' ? `other ${text}` : kind;
    this.#limited[line.level](key, { ...this.#where, reason: text }, line.message);
  }
}
