import { pack } from 'msgpackr';
import type { CutCommand, CutLane, EvictionOrder } from '../ledger/types.js';
import type { AssignCommand, MainMessage } from '../pool/messages.js';
import { RecordType } from '../ring/layout.js';
import type { RingWriter } from '../ring/writer.js';
import type { Lane } from './lane.js';

/** What lanes say to the workers that keep them: in order with the data through the rings, or beside it. */
export class WorkerLink {
  readonly #rings: readonly RingWriter[];
  readonly #post: (worker: number, message: MainMessage) => void;
  readonly #revokes = new Map<string, () => void>();

  constructor(rings: readonly RingWriter[], post: (worker: number, message: MainMessage) => void) {
    this.#rings = rings;
    this.#post = post;
  }

  /** The worker that keeps the fewest lanes. */
  leastLoaded(lanes: Iterable<Lane>): number {
    const load = this.#rings.map(() => 0);
    for (const lane of lanes) load[lane.worker]!++;
    return load.indexOf(Math.min(...load));
  }

  assign(lane: Lane, command: AssignCommand): void {
    this.#command(lane.worker, RecordType.assign, lane.partition, lane.incarnation, pack(command));
  }

  /** Tells the worker to let go of the lane's present incarnation. Resolves when it has. */
  revoke({ worker, partition, incarnation }: Lane): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#revokes.set(`${partition}/${incarnation}`, resolve);
    });
    this.#command(worker, RecordType.revoke, partition, incarnation);
    return gone;
  }

  revoked(partition: number, incarnation: number): void {
    const key = `${partition}/${incarnation}`;
    this.#revokes.get(key)?.();
    this.#revokes.delete(key);
  }

  /** These lanes take no more data, whatever still lies in the rings. */
  freeze(lanes: readonly Lane[]): void {
    for (const worker of new Set(lanes.map((lane) => lane.worker))) {
      const own = lanes.filter((lane) => lane.worker === worker);
      const named = own.map(({ partition, incarnation }) => ({ partition, incarnation }));
      this.#post(worker, { type: 'freeze', lanes: named });
    }
  }

  /** Sends each worker its lanes' part of a cut; those of other incarnations are left out. Returns the workers. */
  cut(command: CutCommand, lanes: ReadonlyMap<number, Lane>, eviction: EvictionOrder): number[] {
    const byWorker = new Map<number, CutLane[]>();
    for (const cut of command.lanes) {
      const lane = lanes.get(cut.partition);
      if (lane === undefined || lane.incarnation !== cut.incarnation) continue;
      byWorker.set(lane.worker, [...(byWorker.get(lane.worker) ?? []), cut]);
    }
    for (const [worker, own] of byWorker) {
      // at its end a lane asks for no more memory: its sessions stay whole
      const goOn = own.some(({ marks }) => marks.endOfInput !== true);
      const part: CutCommand = { ...command, lanes: own, ...(goOn ? { eviction } : {}) };
      this.#command(worker, RecordType.cut, -1, 0, pack(part));
    }
    return [...byWorker.keys()];
  }

  #command(
    worker: number,
    type: RecordType,
    partition: number,
    incarnation: number,
    payload?: Uint8Array,
  ): void {
    const header = { type, partition, incarnation, offset: 0n, aux: 0n };
    this.#rings[worker]!.command(header, payload ?? new Uint8Array(0));
  }
}
