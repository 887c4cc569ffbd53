import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { messageOf } from '../errors.js';
import type { StoreRetry } from '../lake/store/store-retries.js';
import { Begun } from './begun.js';
import type {
  MaintenanceAnswer,
  MaintenanceNews,
  MaintenanceQuestion,
  MaintenanceResult,
  MaintenanceTask,
} from './maintenance-messages.js';

/** JavaScript's own heap: the table's file list. What is decoded lies outside it. */
const HEAP_MB = 512;

export interface MaintenanceThreadOptions {
  task: Omit<MaintenanceTask, 'port'>;
  answer(question: MaintenanceQuestion): Promise<MaintenanceAnswer>;
  onRetry(retry: StoreRetry): void;
}

/** One round in a thread of its own. */
export class MaintenanceThread {
  readonly result: Promise<MaintenanceResult>;
  readonly #piscina: Piscina;
  readonly #stop: () => void;
  readonly #begun: Begun;

  constructor({ task, answer, onRetry }: MaintenanceThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: MaintenanceQuestion | MaintenanceNews) => {
      this.#begun.said();
      if ('begun' in message) return;
      if ('retry' in message) onRetry(message.retry);
      else void answered(answer(message)).then((reply) => port1.postMessage(reply));
    });
    this.#stop = () => port1.postMessage({ stop: true } satisfies MaintenanceAnswer);
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL('../workers/maintenance.js', import.meta.url)),
      minThreads: 1,
      maxThreads: 1,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    const running = this.#piscina.run({ ...task, port: port2 }, { transferList: [port2] });
    this.result = this.#ended(running as Promise<MaintenanceResult>, port1);
    this.#begun = new Begun(this.result);
  }

  async #ended(running: Promise<MaintenanceResult>, port: MessagePort): Promise<MaintenanceResult> {
    try {
      return await running;
    } finally {
      port.close();
      await this.#piscina.destroy();
    }
  }

  /** Asks it to end after what it is at; `result` settles then. */
  stop(): void {
    this.#stop();
  }

  /** Ends it as soon as it has begun. A file that it was writing is left to a vacuum. */
  async destroy(): Promise<void> {
    await this.#begun.settled;
    await this.#piscina.destroy();
  }
}

async function answered(answer: Promise<MaintenanceAnswer>): Promise<MaintenanceAnswer> {
  try {
    return await answer;
  } catch (error) {
    return { failed: messageOf(error) };
  }
}
