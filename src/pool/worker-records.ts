import { HeadraceError } from '../errors.js';
import type { RecordRequest } from '../ledger/record-pack.js';
import type { MainMessage, WorkerMessage } from './messages.js';

type Answer = Extract<WorkerMessage, { type: 'records' }>;

/** Has workers read files as records: what they are told and what they answer, brought together by an id. */
export class WorkerRecords {
  readonly #post: (worker: number, message: MainMessage) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(post: (worker: number, message: MainMessage) => void) {
    this.#post = post;
  }

  /** A part of a file. Rejects with HeadraceError LAKE_IO. */
  read(
    worker: number,
    request: RecordRequest,
  ): Promise<{ bytes: Uint8Array; skipped: Answer['skipped']; more: boolean }> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ error, bytes, skipped, more }) => {
        if (error !== null) reject(HeadraceError.fromPlain(error));
        else resolve({ bytes: bytes!, skipped, more });
      });
      this.#post(worker, { type: 'read-records', id, request });
    });
  }

  answered(message: Answer): void {
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }
}
