import type { VersionActions } from '../lake/delta/actions.js';
import { movedLanesOf } from '../lake/delta/actions.js';
import { factsOf } from './ledger.js';

/**
 * Do the cuts of each lane join, over the versions that are still there? Each begins where the one before ended and names its version;
 * the transaction is where the last one ends. An engine refuses to go on from a ledger that breaks this; here every place is named.
 */
export class LaneContinuity {
  readonly #lanes = new Map<string, { to: number; version: number }>();
  #cuts = 0;

  get lanes(): number {
    return this.#lanes.size;
  }

  get cuts(): number {
    return this.#cuts;
  }

  /** Takes the next version in; what is wrong with it, as sentences. */
  take(version: VersionActions): string[] {
    const { entry, txns } = factsOf(version);
    const own = txns.filter(({ appId }) => appId.startsWith('headrace/'));
    const moved = movedLanesOf(version.actions);
    const found: string[] = [];
    for (const { appId, version: offset } of own) {
      const partition = Number(appId.slice(appId.lastIndexOf('/') + 1));
      const before = this.#lanes.get(appId);
      let at = before?.to;
      let named = 0;
      for (const lane of entry?.cuts.flatMap((cut) => cut.lanes) ?? []) {
        if (lane.partition !== partition) continue;
        named++;
        if (at !== undefined && lane.from !== at) {
          found.push(`partition ${partition} goes on from offset ${lane.from}, and was committed to ${at}`);
        }
        if (lane.to < lane.from && lane.reset !== true) {
          found.push(`partition ${partition} goes backwards, from offset ${lane.from} to ${lane.to}`);
        }
        if (before !== undefined && lane.parent < before.version) {
          found.push(`partition ${partition} follows version ${lane.parent}, its last is ${before.version}`);
        }
        at = lane.to;
      }
      this.#cuts += named;
      if (named === 0)
        found.push(`it moves partition ${partition} to offset ${offset} without a cut of ours`);
      else if (at !== undefined && BigInt(at) !== offset) {
        found.push(`partition ${partition} is committed to offset ${offset}, its cuts end at ${at}`);
      }
      if (before !== undefined && offset < BigInt(before.to) && !moved.has(appId)) {
        found.push(`partition ${partition} goes backwards, from offset ${before.to} to ${offset}`);
      }
      this.#lanes.set(appId, { to: Number(offset), version: version.version });
    }
    return [...new Set(found)];
  }
}
