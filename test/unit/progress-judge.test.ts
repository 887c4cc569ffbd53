import { describe, expect, it } from 'vitest';
import { ProgressJudge } from '#src/metrics/progress-judge.js';
import { engineFacts } from '../support/engine-facts.js';

/** A worker with so much before it, that has done so much. */
function worker(ringUsedBytes: number, events: number, more: object = {}) {
  const [one] = engineFacts().workers;
  return { workers: [{ ...one!, ringUsedBytes, counters: { ...one!.counters, events, ...more } }] };
}

describe('a worker has stopped', () => {
  it('when something lies before it and it does nothing for so long', () => {
    const judge = new ProgressJudge(1_000);
    expect(judge.stopped(worker(64, 5), 0)).toEqual([]);
    expect(judge.stopped(worker(64, 5), 999)).toEqual([]);
    expect(judge.stopped(worker(64, 5), 1_000)).toEqual([0]);
    expect(judge.stopped(worker(64, 6), 1_100)).toEqual([]);
    expect(judge.stopped(worker(64, 6), 2_099)).toEqual([]);
  });

  it('not while nothing lies before it: it is idle, or waits for somebody whom a restart would not bring back', () => {
    const judge = new ProgressJudge(1_000);
    for (let nowMs = 0; nowMs < 60_000; nowMs += 500) expect(judge.stopped(worker(0, 5), nowMs)).toEqual([]);
    expect(judge.stopped(worker(64, 5), 60_000)).toEqual([]);
    expect(judge.stopped(worker(64, 5), 61_000)).toEqual([0]);
  });

  it.each(['cuts', 'sealNs', 'snapshotNs', 'busyNs', 'files'])('not while its %s grow', (counter) => {
    const judge = new ProgressJudge(1_000);
    for (let i = 0; i < 20; i++) expect(judge.stopped(worker(64, 5, { [counter]: i }), i * 900)).toEqual([]);
  });

  it('each by itself', () => {
    const judge = new ProgressJudge(1_000);
    const [one] = worker(64, 5).workers;
    const facts = (events: number) => ({
      workers: [one!, { ...one!, worker: 1, counters: { ...one!.counters, events } }],
    });
    judge.stopped(facts(1), 0);
    expect(judge.stopped(facts(2), 1_000)).toEqual([0]);
  });
});
