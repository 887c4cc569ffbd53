import { describe, expect, it } from 'vitest';
import { SlowestFollower } from '#src/followers/slowest.js';

describe('the slowest follower', () => {
  it('is known of a lane when all have said where they are, and is the one that is furthest behind', () => {
    const slowest = new SlowestFollower(['clickhouse', 'output']);
    slowest.reached('clickhouse', 3, { version: 7, offset: 70n });
    expect(slowest.of(3)).toBeNull();
    slowest.reached('output', 3, { version: 5, offset: 50n });
    expect(slowest.of(3)).toEqual({ version: 5, offset: 50n });
    slowest.reached('output', 3, { version: 9, offset: 90n });
    expect(slowest.of(3)).toEqual({ version: 7, offset: 70n });
    expect(slowest.of(4)).toBeNull();
  });

  it('is the one of the lower version where both stand at the same offset', () => {
    const slowest = new SlowestFollower(['clickhouse', 'output']);
    slowest.reached('clickhouse', 3, { version: 9, offset: 70n });
    slowest.reached('output', 3, { version: 7, offset: 70n });
    expect(slowest.of(3)).toEqual({ version: 7, offset: 70n });
  });

  it('is the only one where there is one', () => {
    const slowest = new SlowestFollower(['output']);
    slowest.reached('output', 0, { version: 1, offset: 10n });
    expect(slowest.of(0)).toEqual({ version: 1, offset: 10n });
  });
});
