import { expect, it } from 'vitest';
import { s3Failure } from '#src/lake/store/s3-errors.js';
import { StoreRetries } from '#src/lake/store/store-retries.js';
import { FakeLog } from '../support/fake-log.js';
import { HurriedClock } from '../support/fake-time.js';

it('a store that stumbles is one line for each kind of failure, with how many there were', () => {
  const log = new FakeLog();
  const clock = new HurriedClock();
  const retries = new StoreRetries(log, clock);
  const slow = s3Failure({ name: 'SlowDown', $metadata: { httpStatusCode: 503, requestId: 'r1' } });
  const refused = s3Failure({ code: 'ECONNREFUSED' });
  for (let n = 0; n < 5; n++) retries.tell({ failure: slow, path: `s3://b/${n}` });
  retries.tell({ failure: refused, path: 's3://b/9' });
  clock.advance(60_000);
  retries.tell({ failure: slow, path: 's3://b/10' });
  expect(log.lines.map(({ level, fields }) => [level, fields.path, fields.code, fields.repeats])).toEqual([
    ['warn', 's3://b/0', 'SlowDown', undefined],
    ['warn', 's3://b/9', 'ECONNREFUSED', undefined],
    ['warn', 's3://b/10', 'SlowDown', 4],
  ]);
  expect(log.lines[0]!.message).toMatch(
    /^the store asks for fewer requests: the request is made again; if it stays: /,
  );
  expect(log.lines[1]!.message).toContain('check lake.s3.endpoint');
});
