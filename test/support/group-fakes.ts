import type { Clock } from '#src/clock.js';
import type { CommittedOffset, GroupMember, OffsetToCommit, Rebalance } from '#src/kafka/group-member.js';
import type { Statistics } from '#src/kafka/group-statistics.js';
import type { Failure } from '#src/kafka/librdkafka.js';
import type { LogFields, PlainLog } from '#src/telemetry/log.js';

/** Time that passes only in advance(). */
export class ManualClock implements Clock {
  #now = 0;
  #sleepers: { untilMs: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper = { untilMs: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  /** Lets `ms` pass, sleeper by sleeper; what they start runs before time goes on. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.untilMs - b.untilMs)[0];
      if (next === undefined || next.untilMs > endMs) break;
      this.#now = Math.max(this.#now, next.untilMs);
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      next.wake();
      await settle();
    }
    this.#now = endMs;
  }
}

/** Everything that is ready to run has run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class RecordingLog implements PlainLog {
  readonly lines: { level: string; fields: Record<string, unknown>; message: string }[] = [];

  debug(fields: LogFields, message: string): void {
    this.#add('debug', fields, message);
  }
  info(fields: LogFields, message: string): void {
    this.#add('info', fields, message);
  }
  warn(fields: LogFields, message: string): void {
    this.#add('warn', fields, message);
  }
  error(fields: LogFields, message: string): void {
    this.#add('error', fields, message);
  }

  with(part: string): { level: string; fields: Record<string, unknown>; message: string }[] {
    return this.lines.filter(({ message }) => message.includes(part));
  }

  #add(level: string, fields: LogFields, message: string): void {
    this.lines.push({ level, fields: fields as Record<string, unknown>, message });
  }
}

/** A native client under the test's hand. */
export class FakeMember implements GroupMember {
  readonly calls: string[] = [];
  readonly commits: OffsetToCommit[][] = [];
  commitAnswer: Failure | null = null;
  lost = false;
  messages = 0;
  figures: Statistics | null = null;
  #events: Rebalance[] = [];
  #failures: Failure[] = [];

  native(): null {
    return null;
  }

  event(kind: Rebalance['kind'], partitions: number[], lost = false): void {
    this.#events.push({ kind, partitions, lost });
  }

  fail(kind: Failure['kind'], text: string, code = -1): void {
    this.#failures.push({ kind, code, text });
  }

  async poll(): Promise<{ messages: number; failures: Failure[] }> {
    const { messages } = this;
    this.messages = 0;
    return { messages, failures: this.#failures.splice(0) };
  }

  takeRebalances(): Rebalance[] {
    return this.#events.splice(0);
  }

  assign(partitions: readonly number[]): void {
    this.calls.push(`assign ${partitions}`);
  }

  unassign(partitions: readonly number[]): void {
    this.calls.push(`unassign ${partitions}`);
  }

  isLost(): boolean {
    return this.lost;
  }

  async commit(offsets: readonly OffsetToCommit[]): Promise<Failure | null> {
    this.commits.push([...offsets]);
    return this.commitAnswer;
  }

  async committed(): Promise<Map<number, CommittedOffset>> {
    return new Map();
  }

  statistics(): Statistics | null {
    return this.figures;
  }

  async close(): Promise<'closed' | 'timed-out'> {
    this.calls.push('close');
    return 'closed';
  }
}
