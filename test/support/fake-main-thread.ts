import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { pack } from 'msgpackr';
import { lakeAt } from '#src/config/lake-place.js';
import type { QualityConfig } from '#src/config/types.js';
import { type SessionEngineName, workerMemory } from '#src/config/worker-memory.js';
import type { CutLane, EvictionOrder, SealedLane, SealedReport } from '#src/ledger/types.js';
import type { CompiledModel } from '#src/model/types.js';
import type {
  AssignCommand,
  CutCommand,
  MainMessage,
  WorkerMessage,
  WorkerResult,
  WorkerTask,
} from '#src/pool/messages.js';
import { RecordType } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';
import { type CounterValues, countersBytes, readCounters } from '#src/telemetry/counters.js';
import runWorker from '../../workers/worker.js';
import { eventually } from './fake-time.js';

const LIMITS = { sessionMemoryBytes: 2 ** 26, recordBytesMax: 2 ** 20, decompressedBatchBytesMax: 2 ** 24 };

export interface MainThreadOptions {
  folder: string;
  model: CompiledModel;
  engine?: SessionEngineName;
  limits?: Partial<WorkerTask['limits']>;
  quality?: QualityConfig | null;
  ringCapacityBytes?: number;
  worker?: number;
}

/** Room for ever. */
export const NO_EVICTION: EvictionOrder = {
  aboveBytes: Number.MAX_SAFE_INTEGER,
  untilBytes: Number.MAX_SAFE_INTEGER,
  idleMs: [],
  spacingMs: 0,
};

type CutPart = CutLane | Pick<CutCommand, 'eviction'>;

/** The main thread of one real worker that runs beside it, in the same thread: real ring, real port, real files. */
export class FakeMainThread {
  readonly ring: RingWriter;
  readonly messages: WorkerMessage[] = [];
  readonly ended: Promise<WorkerResult>;
  /** Instead of `messages`, when set. */
  onMessage: ((message: WorkerMessage) => void) | null = null;
  readonly #port: MessagePort;
  readonly #counters = new SharedArrayBuffer(countersBytes());
  #cutIds = 0;

  constructor(options: MainThreadOptions) {
    const { folder, model, worker = 0, engine = 'reference', ringCapacityBytes = 256 * 1024 } = options;
    const limits = { ...LIMITS, ...options.limits };
    const { ringAt, totalPages } = workerMemory({ ...limits, ringBytes: ringCapacityBytes }, engine);
    const memory = new WebAssembly.Memory({ initial: totalPages, maximum: totalPages, shared: true });
    const place = { buffer: memory.buffer, baseBytes: ringAt, capacityBytes: ringCapacityBytes };
    this.ring = new RingWriter(new RingProducer(place));
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (message: WorkerMessage) => {
      if (this.onMessage === null) this.messages.push(message);
      else this.onMessage(message);
    });
    this.ended = runWorker({
      worker,
      port: port2,
      memory,
      ringBaseBytes: ringAt,
      ringCapacityBytes,
      counters: this.#counters,
      table: lakeAt(folder),
      topic: 'clicks',
      model,
      engine,
      limits,
      clickhouse: null,
      quality: options.quality ?? null,
    });
    // the worker closes its end of the port when it has said everything
    this.ended.catch(() => port1.close());
  }

  post(message: MainMessage): void {
    this.#port.postMessage(message);
  }

  counters(): CounterValues {
    return readCounters(this.#counters);
  }

  assign(lane: Partial<AssignCommand> & { partition: number; incarnation: number }): void {
    const command: AssignCommand = {
      appId: `headrace/group/clicks/topic-id/${lane.partition}`,
      snapshot: null,
      startOffset: 0n,
      committedTo: 0n,
      replay: [],
      eviction: NO_EVICTION,
      ...lane,
    };
    this.#command(RecordType.assign, lane.partition, lane.incarnation, pack(command));
  }

  data(partition: number, incarnation: number, from: bigint, to: bigint, bytes: Uint8Array): void {
    const claim = this.ring.tryClaim(bytes.byteLength);
    if (claim === null) throw new Error('the ring is full');
    claim.bytes.set(bytes);
    const header = { type: RecordType.data, partition, incarnation, offset: from, aux: to };
    this.ring.commit(header, bytes.byteLength);
  }

  /** Sends a cut and waits for its report. Lanes, and in front of them what the command has besides. */
  async cut(...parts: CutPart[]): Promise<SealedReport> {
    const cutId = this.sendCut(...parts);
    let report: SealedReport | undefined;
    await eventually(`the report of cut ${cutId}`, () => {
      report = this.reports().find((each) => each.cutId === cutId);
      return report !== undefined;
    });
    return report!;
  }

  sendCut(...parts: CutPart[]): string {
    const cutId = `${1_000 + this.#cutIds++}`;
    const lanes = parts.filter((part): part is CutLane => 'partition' in part);
    const others: object[] = parts.filter((part) => !('partition' in part));
    const command: CutCommand = { cutId, createdAtMs: Date.UTC(2026, 5, 1), lanes, ...others[0] };
    this.#command(RecordType.cut, -1, 0, pack(command));
    return cutId;
  }

  reports(): SealedReport[] {
    return this.messages.flatMap((message) => (message.type === 'sealed' ? [message.report] : []));
  }

  revoke(partition: number, incarnation: number): void {
    this.#command(RecordType.revoke, partition, incarnation);
  }

  seek(partition: number, incarnation: number, offset: bigint): void {
    this.#command(RecordType.seek, partition, incarnation, new Uint8Array(0), offset);
  }

  async stop(): Promise<WorkerResult> {
    this.#command(RecordType.stop, -1, 0);
    return await this.ended;
  }

  /** The first message of a type about a lane. */
  async message<T extends WorkerMessage['type']>(
    type: T,
    partition?: number,
    incarnation?: number,
  ): Promise<Extract<WorkerMessage, { type: T }>> {
    const find = () =>
      this.messages.find((message): message is Extract<WorkerMessage, { type: T }> => {
        if (message.type !== type) return false;
        if (partition !== undefined && (!('partition' in message) || message.partition !== partition))
          return false;
        return incarnation === undefined || ('incarnation' in message && message.incarnation === incarnation);
      });
    await eventually(`${type} of lane ${partition}`, () => find() !== undefined);
    return find()!;
  }

  /** The types of all messages about a lane, in order. */
  about(partition: number): string[] {
    return this.messages.flatMap((message) =>
      'partition' in message && message.partition === partition ? [message.type] : [],
    );
  }

  /** Everything sent so far was taken: a cut without lanes came back. */
  async caughtUp(): Promise<void> {
    await this.cut();
  }

  #command(
    type: RecordType,
    partition: number,
    incarnation: number,
    payload: Uint8Array = new Uint8Array(0),
    offset = 0n,
  ): void {
    this.ring.command({ type, partition, incarnation, offset, aux: 0n }, payload);
  }
}

export function onlyLane(report: SealedReport): SealedLane {
  if (report.lanes.length !== 1) throw new Error(`${report.lanes.length} lanes in the report`);
  return report.lanes[0]!;
}
