import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import type { FileNeed } from '../../lake/maintenance/file-needs.js';
import {
  type Behind,
  behindText,
  type GuardPlace,
  whoIsBehind,
} from '../../lake/maintenance/follower-guard.js';
import type { Log } from '../../telemetry/log.js';
import { placesOfFollowers } from '../ledger/follower-horizon.js';
import type { OpenedTable } from '../ledger/open-table.js';
import type { Progress } from './progress.js';

const ASK_MS = 1_000;

export interface Followers {
  places: GuardPlace[];
  behind: Behind[];
  /** Followers that could not be asked, or that the configuration does not name: they hold every file. */
  silent: string[];
}

/** Asks until all followers have passed the files' versions, or the time is over. */
export async function waitForFollowers(
  facts: { config: EngineConfig; opened: OpenedTable; log: Log; progress: Progress },
  files: readonly FileNeed[],
  timeoutMs: number,
): Promise<Followers> {
  // nobody can come for nothing
  if (files.every(({ version }) => version === null)) return { places: [], behind: [], silent: [] };
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const { places, silent } = await placesOfFollowers(facts);
    const behind = whoIsBehind(files, places);
    const isOver = systemClock.monotonicMs() - startedMs >= timeoutMs;
    if (behind.length + silent.length === 0 || isOver) return { places, behind, silent };
    facts.progress.tell(() => `waiting for followers: ${behindText(behind) || silent.join('; ')}`);
    await systemClock.sleep(ASK_MS);
  }
}
