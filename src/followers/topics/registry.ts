import type { ObjectStore } from '../../lake/store/store.js';

/**
 * What the lake remembers of a lane's way into the topics, beside the table: at which version it begins, and whether its
 * position was ever written. With it a position that is missing tells two cases apart: none was written yet, so nothing of
 * the lane was sent; or it was written and is gone, so nobody knows what was sent.
 *
 *   registered (the lane starts) ──▶ its first position is in the topic ──▶ positioned ──▶ its first record is sent
 */
export interface Registration {
  /** Everything of the lane lies behind this version. */
  from: number;
  positioned: boolean;
}

export class LaneRegistry {
  readonly #store: ObjectStore;
  readonly #topic: string;

  /** `topic`: the positions' topic. */
  constructor(store: ObjectStore, topic: string) {
    this.#store = store;
    this.#topic = topic;
  }

  /** Throws HeadraceError LAKE_IO. */
  async read(appId: string): Promise<Registration | null> {
    const bytes = await this.#store.get(this.#path(appId));
    return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString()) as Registration);
  }

  /** Throws HeadraceError LAKE_IO. */
  async write(appId: string, registration: Registration): Promise<void> {
    await this.#store.put(this.#path(appId), Buffer.from(JSON.stringify(registration)));
  }

  #path(appId: string): string {
    const [topicId, partition] = appId.split('/').slice(-2);
    return `_headrace/followers/${this.#topic}/${topicId}/${partition}.json`;
  }
}
