import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { LoadAnswer, LoadOrder, LoadTask } from '../../generator/load/load-messages.js';

/** The threads that make batches: one task each, as long as the load lasts. */
export class LoadThreads {
  readonly #piscina: Piscina;
  readonly #ports: MessagePort[] = [];

  /** `onFailure`: a thread ended with an error. */
  constructor(workers: number, task: Pick<LoadTask, 'spec' | 'producer'>, events: ThreadEvents) {
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL('../../workers/load.js', import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
    });
    for (let worker = 0; worker < workers; worker++) {
      const { port1, port2 } = new MessageChannel();
      port1.on('message', (answer: LoadAnswer) => events.onAnswer(worker, answer));
      this.#ports.push(port1);
      const whole: LoadTask = { ...task, worker, workers, port: port2 };
      this.#piscina.run(whole, { transferList: [port2] }).catch((error: unknown) => events.onFailure(error));
    }
  }

  order(worker: number, order: LoadOrder): void {
    const used = order.type === 'make' && order.used !== undefined ? [order.used] : [];
    this.#ports[worker]!.postMessage(order, used);
  }

  async close(): Promise<void> {
    for (const port of this.#ports) port.close();
    await this.#piscina.destroy();
  }
}

export interface ThreadEvents {
  onAnswer(worker: number, answer: LoadAnswer): void;
  onFailure(error: unknown): void;
}
