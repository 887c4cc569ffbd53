/**
 * A group member in a process of its own: librdkafka is meant to meet others over the wire, and the mock cluster lives
 * in the test's process. Runs the built code, as the engine does.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const FIXTURE = fileURLToPath(new URL('../fixtures/group-member.mjs', import.meta.url));
const WAIT_MS_MAX = 45_000;

export interface GroupProcessOptions {
  brokers: string;
  topic: string;
  groupId: string;
  clientId: string;
  protocol: 'classic' | 'consumer';
  sessionTimeoutMs: number;
  instanceId?: string;
  revokeTimeoutMs?: number;
  extra?: Record<string, unknown>;
  /** Revokes wait until release(). */
  holdRevokes?: boolean;
}

export interface MemberEvent {
  type: 'started' | 'assigned' | 'revoked' | 'lost' | 'log';
  partitions?: number[];
  level?: string;
  message?: string;
  fields?: string;
}

export class GroupProcess {
  readonly events: MemberEvent[] = [];
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: { value?: unknown; error?: string }) => void>();
  #changed: (() => void)[] = [];
  #nextId = 1;

  constructor(options: GroupProcessOptions) {
    this.#child = fork(FIXTURE, [JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: MemberEvent & { id?: number; value?: unknown; error?: string }) => {
      if (message.id !== undefined) {
        this.#answers.get(message.id)?.(message);
        this.#answers.delete(message.id);
      } else {
        this.events.push(message);
        for (const changed of this.#changed.splice(0)) changed();
      }
    });
  }

  /** Waits until the events satisfy the condition. */
  async until(what: string, holds: (events: MemberEvent[]) => boolean): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (!holds(this.events)) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`not seen: ${what}; events: ${JSON.stringify(this.events)}`);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#changed.push(resolve)),
        new Promise((resolve) => {
          timer = setTimeout(resolve, leftMs);
        }),
      ]);
      clearTimeout(timer);
    }
  }

  /** Partitions it was told to have, by its events. */
  get owned(): number[] {
    const owned = new Set<number>();
    for (const { type, partitions = [] } of this.events) {
      if (type === 'assigned') for (const partition of partitions) owned.add(partition);
      if (type === 'revoked' || type === 'lost') for (const partition of partitions) owned.delete(partition);
    }
    return [...owned].sort((a, b) => a - b);
  }

  untilOwned(count: number): Promise<void> {
    return this.until(`${count} partitions owned`, () => this.owned.length === count);
  }

  call(call: 'release' | 'leave'): Promise<void>;
  call(call: 'assignment'): Promise<number[]>;
  call(call: 'stray'): Promise<{ requests: number; messages: number }>;
  call(
    call: 'commit',
    offsets: { partition: number; offset: number; metadata?: string }[],
  ): Promise<'committed' | 'stale'>;
  call(
    call: 'committed',
    partitions: number[],
  ): Promise<{ partition: number; offset: string; metadata: string }[]>;
  async call(call: string, argument?: unknown): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = new Promise<{ value?: unknown; error?: string }>((resolve) =>
      this.#answers.set(id, resolve),
    );
    this.#child.send({ id, call, argument });
    const { value, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** Ends the process; a SIGKILL tells the group nothing. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}
