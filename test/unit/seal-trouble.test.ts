import { expect, it } from 'vitest';
import { SealTrouble } from '#src/commands/run/seal-trouble.js';
import { HeadraceError } from '#src/errors.js';
import { FakeLog } from '../support/fake-log.js';
import { HurriedClock } from '../support/fake-time.js';

it('workers that can not write are told of now and then, each with what helps, and once when it is over', () => {
  const [log, time] = [new FakeLog(), new HurriedClock()];
  const trouble = new SealTrouble(log, time);
  const failure = new HeadraceError('LAKE_IO', 'could not write: no space is left on the device', {
    where: { path: '/lake/x.parquet', code: 'ENOSPC' },
    remedy: 'free space',
  }).toPlain();
  trouble.over(0);
  for (let tries = 0; tries < 20; tries++) {
    trouble.met(0, failure);
    time.advance(500);
  }
  trouble.met(1, failure);
  expect(trouble.isMet).toBe(true);
  expect(log.with('could not write a file of a cut').map(({ fields }) => fields.worker)).toEqual([0, 0, 1]);
  expect(log.lines[0]!.fields.error).toMatchObject({ code: 'LAKE_IO', remedy: 'free space' });
  trouble.over(0);
  trouble.over(0);
  // the other worker's is not over
  expect(trouble.isMet).toBe(true);
  expect(log.with('are written again')).toEqual([
    {
      level: 'info',
      fields: { worker: 0, after_ms: 10_000 },
      message: 'the files of cuts are written again',
    },
  ]);
  trouble.over(1);
  expect(trouble.isMet).toBe(false);
});
