import { describe, expect, it } from 'vitest';
import { RecoveryProgress } from '#src/lanes/recovery-progress.js';
import { FakeLog } from '../support/fake-log.js';

function progress() {
  const log = new FakeLog();
  const time = { ms: 1_000 };
  const clock = { nowMs: () => 0, monotonicMs: () => time.ms, sleep: async () => {} };
  return { log, time, recovery: new RecoveryProgress({ clock, log }) };
}

describe('the progress of a recovery', () => {
  it('says what is left, how fast it goes, and at the end what it took', () => {
    const { log, time, recovery } = progress();
    recovery.begin(2, 100n, 1_100n);
    recovery.begin(0, 0n, 500n);
    const positions = new Map([
      [2, 600n],
      [0, 500n],
    ]);
    time.ms += 500;
    recovery.tell((partition) => positions.get(partition)!);
    expect(log.lines.at(-1)!.fields).toEqual({
      lanes: 2,
      partitions: '0,2',
      offsets_left: 500n,
      offsets_per_second: 2_000,
    });
    recovery.end(0, true);
    expect(log.with('recovery is done')).toEqual([]);
    time.ms += 500;
    recovery.end(2, true);
    expect(log.with('recovery is done')[0]!.fields).toEqual({
      lanes: 2,
      offsets: 1_500n,
      ms: 1_000,
      offsets_per_second: 1_500,
    });
    recovery.tell(() => 0n);
    expect(log.with('recovering')).toHaveLength(1);
  });

  it('is silent of lanes that have nothing to replay, and of those that went away', () => {
    const { log, recovery } = progress();
    recovery.begin(1, 10n, 10n);
    recovery.end(1, true);
    recovery.begin(2, 10n, 20n);
    recovery.end(2, false);
    recovery.tell(() => 0n);
    expect(log.lines).toEqual([]);
  });
});
