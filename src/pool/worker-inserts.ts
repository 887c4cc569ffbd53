import type { InsertFile, RowProbe } from '../clickhouse/file.js';
import { HeadraceError } from '../errors.js';
import type { FileInserter, InsertOutcome } from '../followers/clickhouse/file-inserter.js';
import type { MainMessage, WorkerMessage } from './messages.js';

/** Has the workers insert files: what they are told and what they answer, brought together by an id. */
export class WorkerInserts implements FileInserter {
  readonly #post: (worker: number, message: MainMessage) => void;
  readonly #inserts = new Map<number, (outcome: InsertOutcome) => void>();
  readonly #probes = new Map<number, (answer: Extract<WorkerMessage, { type: 'probed' }>) => void>();
  #lastId = 0;

  constructor(post: (worker: number, message: MainMessage) => void) {
    this.#post = post;
  }

  insert(
    worker: number,
    { path, attempt = 0, sizeBytes, rows, now }: InsertFile,
    signal: AbortSignal,
  ): Promise<InsertOutcome> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const cancel = () => this.#post(worker, { type: 'insert-cancel', id });
      signal.addEventListener('abort', cancel, { once: true });
      this.#inserts.set(id, (outcome) => {
        signal.removeEventListener('abort', cancel);
        resolve(outcome);
      });
      this.#post(worker, {
        type: 'insert',
        id,
        file: { path, attempt, sizeBytes, rows, ...(now && { now }) },
      });
    });
  }

  probe(worker: number, { path, sizeBytes, rows, now }: InsertFile): Promise<RowProbe | null> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#probes.set(id, ({ error, probe }) => {
        if (error === null) resolve(probe);
        else reject(HeadraceError.fromPlain(error));
      });
      this.#post(worker, { type: 'probe', id, file: { path, sizeBytes, rows, ...(now && { now }) } });
    });
  }

  forget(worker: number, paths: string[]): void {
    this.#post(worker, { type: 'insert-forget', paths });
  }

  answered(message: Extract<WorkerMessage, { type: 'inserted' | 'probed' }>): void {
    const { id } = message;
    if (message.type === 'probed') {
      this.#probes.get(id)?.(message);
      this.#probes.delete(id);
      return;
    }
    const error = message.error === null ? null : HeadraceError.fromPlain(message.error);
    this.#inserts.get(id)?.({ error, unknown: message.unknown });
    this.#inserts.delete(id);
  }
}
