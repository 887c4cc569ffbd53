import { describe, expect, it } from 'vitest';
import { answeredWithin } from '#src/kafka/answered-within.js';
import { ManualClock } from '../support/group-fakes.js';

describe('an answer that is waited for', () => {
  const late = () => {
    throw new Error('late');
  };

  it('is passed on, as is a refusal', async () => {
    const clock = new ManualClock();
    await expect(answeredWithin(clock, 1_000, Promise.resolve(7), late)).resolves.toBe(7);
    await expect(answeredWithin(clock, 1_000, Promise.reject(new Error('no')), late)).rejects.toThrow('no');
  });

  it('is given up when it does not come in time, and nobody hears of it then', async () => {
    const clock = new ManualClock();
    let refuse: (error: Error) => void = () => {};
    const never = new Promise<void>((_, reject) => {
      refuse = reject;
    });
    const given = answeredWithin(clock, 1_000, never, late);
    const seen = expect(given).rejects.toThrow('late');
    await clock.advance(1_000);
    await seen;
    refuse(new Error('afterwards'));
  });
});
