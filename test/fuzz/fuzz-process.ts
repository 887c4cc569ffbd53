import { setImmediate } from 'node:timers/promises';
import { caseToJson } from './case.js';
import { ENGINE_MAKERS } from './engine-makers.js';
import type { FuzzReport, FuzzTask } from './fuzz-messages.js';
import { noTotals, playSeed, shrinkSeed } from './fuzz-session.js';
import { playCase } from './play-case.js';

/** One of the processes of `npm run fuzz`: plays its seeds until the time is over and says what it finds. */

const TOTALS_EVERY_MS = 500;

async function run(task: FuzzTask): Promise<void> {
  const [left, right] = [task.left, task.right].map((name) => ENGINE_MAKERS.get(name)!);
  const totals = noTotals();
  const seen = new Set<string>();
  const until = performance.now() + task.runMs;
  let reportedAt = 0;
  for (let seed = task.firstSeed; performance.now() < until; seed += task.seedStep) {
    report({ type: 'case', seed });
    const failure = playSeed(seed, left!, right!, totals);
    if (failure !== null) {
      report({ type: 'failure', failure });
      // one of each kind is enough to look at
      if (!seen.has(failure.kind)) {
        const small = shrinkSeed(failure, left!, right!, task.shrinkMs);
        const difference = playCase(small, left!, right!).difference ?? failure.difference;
        report({ type: 'shrunk', failure: { ...failure, difference }, json: caseToJson(small) });
      }
      seen.add(failure.kind);
    }
    if (performance.now() - reportedAt < TOTALS_EVERY_MS) continue;
    reportedAt = performance.now();
    report({ type: 'totals', totals });
    await setImmediate();
  }
  report({ type: 'totals', totals });
  await setImmediate();
  process.disconnect();
}

function report(message: FuzzReport): void {
  process.send!(message);
}

process.once('message', (task) => void run(task as FuzzTask));
