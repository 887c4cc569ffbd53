import { HeadraceError } from '../../errors.js';
import type { Action } from '../../lake/delta/actions.js';
import type { LanePosition } from './positions.js';
import type { LaneRegistry, Registration } from './registry.js';
import { entryOf } from './sources.js';

/**
 * Where a lane goes on in the topics. That is its position, where there is one. Without one: at its start, when the lake says
 * that none was written yet, or when nothing of the lane was ever to be sent; where the operator says; and else nowhere,
 * since what was sent is not known, and to send it again is what this follower is there to prevent.
 */
export interface PlacesOptions {
  registry: LaneRegistry;
  /** The version of a lane's start while the ledger has nothing else of it; null: it has. */
  startOf(partition: number): number | null;
  /** Null: the log does not have it. */
  readVersion(version: number): Promise<readonly Action[] | null>;
  newestVersion(): number;
  /** What the operator says of lanes without a position; null: nothing. */
  start: 'earliest' | 'latest' | null;
  /** The positions' topic, for messages. */
  topic: string;
}

export class LanePlaces {
  readonly #options: PlacesOptions;
  readonly #starting = new Map<string, { from: number; told: Promise<unknown> }>();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /**
   * The lane is to get its first commit above this version: the lake is told first. An engine that ended between the two would
   * else leave a lane of which nobody knows whether the topics had it from its start. Throws HeadraceError LAKE_IO.
   */
  async begins(appId: string, version: number): Promise<void> {
    await this.#register(appId, version);
  }

  /** The lane is ours: should it be at its start, the lake is told that it was followed from there on. Returns at once. */
  starts(partition: number, appId: string): void {
    const from = this.#options.startOf(partition);
    if (from === null) return;
    const before = this.#starting.get(appId)?.told ?? Promise.resolve();
    // should it fail, whoever places the lane does it again
    const told = before.then(() => this.#register(appId, from)).catch(() => undefined);
    this.#starting.set(appId, { from, told });
  }

  /**
   * What the lake remembers of the lane. It is asked before the positions' topic is: what it says of a position was in the
   * topic before, however long this engine stands still in between. Throws HeadraceError LAKE_IO.
   */
  async remembered(appId: string): Promise<Registration | null> {
    const starting = this.#starting.get(appId);
    if (starting !== undefined) {
      await starting.told;
      await this.#register(appId, starting.from);
      this.#starting.delete(appId);
    }
    return await this.#options.registry.read(appId);
  }

  /** `stored`: its position in the topic, read after what the lake remembers. Throws HeadraceError OUTPUT_HALTED, LAKE_IO. */
  async of(
    { partition, appId }: { partition: number; appId: string },
    registration: Registration | null,
    stored: LanePosition | null,
  ): Promise<{ position: LanePosition; positioned: boolean }> {
    const { start, newestVersion } = this.#options;
    if (stored !== null) return { position: stored, positioned: registration?.positioned === true };
    const version = registration?.positioned === false ? registration.from : null;
    if (version !== null) return { position: { version, records: 0 }, positioned: false };
    if (start === 'earliest') return { position: { version: -1, records: 0 }, positioned: false };
    const newest = newestVersion();
    if (start === 'latest' || !(await this.#hasRecords(partition, newest))) {
      return { position: { version: newest, records: 0 }, positioned: false };
    }
    throw this.#missing(partition, appId, registration);
  }

  /** The lane's position is in the topic. Throws HeadraceError LAKE_IO. */
  async positioned(appId: string, { version }: LanePosition): Promise<void> {
    await this.#options.registry.write(appId, { from: version, positioned: true });
  }

  async #register(appId: string, from: number): Promise<void> {
    const { registry } = this.#options;
    if ((await registry.read(appId)) === null) await registry.write(appId, { from, positioned: false });
  }

  /** Has the ledger anything of the lane that goes into a topic? */
  async #hasRecords(partition: number, newest: number): Promise<boolean> {
    for (let version = 0; version <= newest; version++) {
      const actions = await this.#options.readVersion(version);
      if (actions === null) return true;
      if (
        entryOf(actions)?.cuts.some(({ lanes }) =>
          lanes.some((lane) => lane.partition === partition && lane.rows + lane.deadLetters > 0),
        )
      ) {
        return true;
      }
    }
    return false;
  }

  #missing(partition: number, appId: string, registration: Registration | null): HeadraceError {
    const message =
      registration === null
        ? 'the topics were not followed when this lane began, and nothing says how much of it they have'
        : 'the position of a lane in the topics was written once and is gone';
    return new HeadraceError('OUTPUT_HALTED', message, {
      where: { topic: this.#options.topic, partition, key: appId },
      remedy:
        'start once with --missing-position latest to send what comes from now on, or with --missing-position earliest to send everything the table has, again if it was sent before',
    });
  }
}
