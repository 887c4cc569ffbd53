import { describe, expect, it } from 'vitest';
import { ReadyTimes } from '#src/metrics/ready-times.js';

describe('readiness over time', () => {
  it('counts a start from the first moment on, and as a recovery once it is over', () => {
    const times = new ReadyTimes(1_000);
    times.look(false, 2_000, 500_000);
    expect(times.figures).toEqual({ notReadySeconds: 1, recoveries: 0, lastRecovery: null });
    times.look(true, 5_000, 503_000);
    expect(times.figures).toEqual({
      notReadySeconds: 4,
      recoveries: 1,
      lastRecovery: { seconds: 4, atSeconds: 503 },
    });
  });

  it('counts nothing while it is ready, and each time that it is not any more from when that was seen', () => {
    const times = new ReadyTimes(0);
    times.look(true, 1_000, 1_000);
    for (let ms = 2_000; ms <= 60_000; ms += 1_000) times.look(true, ms, ms);
    expect(times.figures.notReadySeconds).toBe(1);
    times.look(false, 61_000, 61_000);
    times.look(false, 62_000, 62_000);
    expect(times.figures).toMatchObject({ notReadySeconds: 2, recoveries: 1 });
    times.look(true, 63_500, 63_500);
    times.look(true, 70_000, 70_000);
    expect(times.figures).toEqual({
      notReadySeconds: 3.5,
      recoveries: 2,
      lastRecovery: { seconds: 2.5, atSeconds: 63.5 },
    });
  });
});
