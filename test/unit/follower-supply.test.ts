import { describe, expect, it } from 'vitest';
import { Supply } from '#src/followers/clickhouse/supply.js';
import { HurriedClock } from '../support/fake-time.js';

const workerOf = (text: string) => (text.startsWith('x') ? undefined : Number(text[0]));
const all = ['0a', '1a', '0b', '1b', 'xa', '0c', '1c', '0d', '0e'];

function supplyOf(...landed: number[]): { supply: Supply; clock: HurriedClock } {
  const clock = new HurriedClock();
  const supply = new Supply(clock);
  for (const worker of landed) supply.landed(worker);
  return { supply, clock };
}

describe('what is got ready ahead', () => {
  it('is as much as each worker has brought in lately', () => {
    const { supply, clock } = supplyOf(0, 0, 0, 1);
    expect(supply.next(all, workerOf)).toEqual(['0a', '1a', '0b', '0c']);
    clock.advance(1_900);
    supply.landed(1);
    expect(supply.next(all, workerOf)).toEqual(['0a', '1a', '0b', '1b', '0c']);
    clock.advance(200);
    expect(supply.next(all, workerOf)).toEqual(['1a']);
    clock.advance(2_000);
    expect(supply.next(all, workerOf)).toEqual([]);
  });

  it('is filled up when no more than half is left', () => {
    const { supply } = supplyOf(0, 0, 0, 0, 1);
    expect(supply.refill(all, workerOf, [0, 0, 0, undefined])).toEqual(['1a']);
    expect(supply.refill(all, workerOf, [0, 0, 1])).toEqual(['0a', '0b']);
  });

  it('has a bound', () => {
    const { supply } = supplyOf(...Array.from({ length: 1_000 }, () => 0));
    const many = Array.from({ length: 100 }, (_, i) => `0${i}`);
    expect(supply.next(many, workerOf)).toHaveLength(32);
  });
});
