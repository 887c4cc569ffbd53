import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ThreadCpu } from '#src/telemetry/cpu.js';
import type { Reaper } from '../kafka-cluster/reaper.js';
import { LedgerWatch } from './ledger-watch.js';
import { endedChildrenSeconds, machineTicks, processSeconds, stealShare, trySampleProcess } from './proc.js';
import { sumTable, type TableSums } from './table-check.js';
import type { SeenThreads } from './thread-groups.js';
import { TOPIC } from './topic-options.js';

/**
 * One run of the built engine over the whole topic, with a group and a table of its own, watched from outside.
 *
 * The window is from the first lane's start in the ledger, before anything is fetched, to the last commit, with which all
 * sessions can be read. Before it: start-up and joining the group; behind it: leaving and ending.
 */

export interface EngineRunOptions {
  /** Path of engine.js. */
  engine: string;
  bootstrap: string;
  brokerPid: number;
  /** Of this run alone. */
  folder: string;
  /** Ends the engine when we end in whatever way. */
  reaper: Reaper;
  /** More of the engine's command line. */
  flags: readonly string[];
  onPoll: (ledger: LedgerWatch, elapsedMs: number) => void;
}

export interface EngineRun {
  /** From start to exit. */
  seconds: number;
  windowSeconds: number;
  /** User and system, of all threads that ever were. */
  engineCpuSeconds: number;
  brokerCpuSeconds: number;
  peakRssBytes: number;
  steal: number;
  figures: EngineFigures;
  threads: SeenThreads;
  committed: { events: number; rows: number; deadLetters: number };
  table: TableSums;
}

/** The last line of a bounded run with --json, as far as it is used here. */
export interface EngineFigures {
  events: number;
  deadLetters: number;
  haltedLanes: number;
  openSessions: number;
  bytesPerOpenSession?: number;
  undecided?: number;
  cpuSeconds: { workerThreadIds: (number | null)[] };
  peakRssBytes: number;
}

const POLL_MS = 50;
const SILENT_MS_MAX = 300_000;

export async function runEngine(options: EngineRunOptions): Promise<EngineRun> {
  const { engine, bootstrap, brokerPid, folder, reaper, flags, onPoll } = options;
  mkdirSync(folder);
  const table = join(folder, 'sessions');
  const ledger = new LedgerWatch(table);
  const before = {
    children: endedChildrenSeconds(),
    broker: processSeconds(brokerPid),
    machine: machineTicks(),
  };
  const began = performance.now();
  const args = ['run', '--brokers', bootstrap, '--topic', TOPIC, '--group', `bench-${process.pid}-${began}`];
  const child = new Child(
    engine,
    [...args, '--model', 'clickstream', '--lake', table, ...flags],
    folder,
    reaper,
  );
  const samples = await watch(child, ledger, (elapsedMs) => onPoll(ledger, elapsedMs));
  const seconds = (performance.now() - began) / 1_000;
  const figures = child.figures();
  return {
    seconds,
    windowSeconds: (ledger.lastMs! - ledger.startedMs!) / 1_000,
    engineCpuSeconds: endedChildrenSeconds() - before.children,
    brokerCpuSeconds: processSeconds(brokerPid) - before.broker,
    peakRssBytes: Math.max(figures.peakRssBytes, samples.peakRssBytes),
    steal: stealShare(before.machine, machineTicks()),
    figures,
    threads: samples.threads,
    committed: { events: ledger.events, rows: ledger.rows, deadLetters: ledger.deadLetters },
    table: sumTable(table, ledger.files),
  };
}

interface Samples {
  peakRssBytes: number;
  threads: EngineRun['threads'];
}

/** Until the process has ended. Throws Error when nothing is committed for minutes. */
async function watch(
  child: Child,
  ledger: LedgerWatch,
  onPoll: (elapsedMs: number) => void,
): Promise<Samples> {
  const began = performance.now();
  let movedMs = began;
  let peakRssBytes = 0;
  /** As each was last seen, ended ones too; the main thread is the first. */
  const seen = new Map<number | null, ThreadCpu>();
  let begin: ThreadCpu[] | null = null;
  let end: ThreadCpu[] = [];
  for (;;) {
    const ended = await child.endsWithin(POLL_MS);
    const sample = trySampleProcess(child.pid);
    if (sample !== null) {
      peakRssBytes = sample.peakRssBytes;
      for (const thread of sample.threads) seen.set(thread.osThreadId, thread);
    }
    const nowMs = performance.now();
    if (ledger.poll() > 0) {
      movedMs = nowMs;
      end = [...seen.values()];
      if (ledger.startedMs !== null) begin ??= end;
    }
    if (ended) break;
    if (nowMs - movedMs > SILENT_MS_MAX) {
      child.kill();
      throw new Error(`the engine committed nothing for ${SILENT_MS_MAX / 1_000} s:\n${child.tail()}`);
    }
    onPoll(nowMs - began);
  }
  return { peakRssBytes, threads: { begin: begin ?? [], end, last: [...seen.values()] } };
}

/** The engine as a process, its output in two files. */
class Child {
  readonly #child: ChildProcess;
  readonly #out: string;
  readonly #err: string;
  readonly #ended: Promise<true>;

  constructor(engine: string, args: readonly string[], folder: string, reaper: Reaper) {
    this.#out = join(folder, 'engine.out');
    this.#err = join(folder, 'engine.err');
    const files = [openSync(this.#out, 'w'), openSync(this.#err, 'w')] as const;
    this.#child = spawn(process.execPath, [engine, ...args, '--json', '--until-end'], {
      stdio: ['ignore', ...files],
    });
    for (const file of files) closeSync(file);
    const { pid } = this.#child;
    if (pid !== undefined) reaper.started(pid);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', () => {
        if (pid !== undefined) reaper.ended(pid);
        resolve(true);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  endsWithin(ms: number): Promise<boolean> {
    return Promise.race([this.#ended, sleep(ms, false)]);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  tail(lines = 30): string {
    const output = readFileSync(this.#out, 'utf8') + readFileSync(this.#err, 'utf8');
    return output.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Throws Error when it did not end well. */
  figures(): EngineFigures {
    if (this.#child.exitCode !== 0) {
      throw new Error(
        `the engine ended with ${this.#child.exitCode ?? this.#child.signalCode}:\n${this.tail()}`,
      );
    }
    const last = readFileSync(this.#out, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    return JSON.parse(last) as EngineFigures;
  }
}
