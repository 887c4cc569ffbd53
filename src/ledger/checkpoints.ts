import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { HeadraceError } from '../errors.js';
import type { Log } from '../telemetry/log.js';
import type { CheckpointResult } from './checkpoint-job.js';
import type { CheckpointReply, CheckpointTask } from './checkpoint-thread.js';

/**
 * When a checkpoint is due: every hundred versions (`delta.checkpointInterval`), and more seldom where the table has very many files,
 * since each checkpoint names them all; so that what checkpoints cost stays in proportion to what is committed. One at a time,
 * and never waited for by a commit.
 */
export interface CheckpointsOptions {
  /** Version of the newest one there is; −1: none. */
  newest: number;
  /** Versions between two; asked anew each time. */
  interval(): number;
  /** Writes one, unless there is one from this version on. */
  write(unlessFrom: number): Promise<CheckpointResult>;
  /** There is a newer one than before. */
  onNewer(version: number): void;
  log: Log;
}

const FILES_PER_VERSION = 100;
/** What is read behind a checkpoint when a table is opened: some milliseconds each. */
const INTERVAL_MAX = 1_000;

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #newest: number;
  #files = 0;
  #running: Promise<void> | null = null;
  /** The version at which one failed: the next try is an interval later. */
  #failedAt = -1;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#newest = options.newest;
  }

  /** A version of ours was committed. */
  committed(version: number): void {
    if (this.#running !== null || version - Math.max(this.#newest, this.#failedAt) < this.#interval()) return;
    this.#running = this.#write(version).finally(() => {
      this.#running = null;
    });
  }

  /** What is under way is done. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #interval(): number {
    const wanted = Math.ceil(this.#files / FILES_PER_VERSION);
    return Math.max(this.#options.interval(), Math.min(wanted, INTERVAL_MAX));
  }

  async #write(version: number): Promise<void> {
    const { write, log, onNewer } = this.#options;
    try {
      const result = await write(version - Math.floor(this.#interval() / 2));
      const { written } = result;
      if (written !== null) {
        this.#files = written.files;
        log.info(
          { version: written.version, files: written.files, bytes: written.sizeBytes },
          'checkpoint written, and read back by two readers',
        );
      }
      if (result.version <= this.#newest) return;
      this.#newest = result.version;
      onNewer(result.version);
    } catch (error) {
      this.#failedAt = version;
      log.warn(
        { version, error },
        'could not write a checkpoint; the log goes on without, the next one tries again',
      );
    }
  }
}

/** From the sources (tests) the thread is the built one too: Node can't run TypeScript by itself. */
const THREAD_PATH = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/ledger/checkpoint-thread.js' : './checkpoint-thread.js',
    import.meta.url,
  ),
);

/** `signal`: the thread ends where it stands; a checkpoint that is not published is none. */
export async function checkpointInThread(
  task: CheckpointTask,
  log: Log,
  signal: AbortSignal = new AbortController().signal,
): Promise<CheckpointResult> {
  if (signal.aborted) return GIVEN_UP;
  const thread = new Worker(THREAD_PATH, { workerData: task });
  const end = () => void thread.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise<CheckpointResult>((resolve, reject) => {
      thread.on('message', (message: CheckpointReply) => {
        if (message.kind === 'done') resolve(message.result);
        else if (message.kind === 'failed') reject(HeadraceError.fromPlain(message.error));
        else
          log.warn(
            { error: HeadraceError.fromPlain(message.error) },
            'a checkpoint of the table is damaged: an older one, or the log, was read instead, and a new one is written',
          );
      });
      thread.once('error', reject);
      thread.once('exit', () => {
        if (signal.aborted) resolve(GIVEN_UP);
        else reject(new HeadraceError('LAKE_IO', 'the thread of a checkpoint ended before it was done'));
      });
    });
  } finally {
    signal.removeEventListener('abort', end);
  }
}

const GIVEN_UP: CheckpointResult = { version: -1, written: null };
