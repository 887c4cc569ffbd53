import { expect, test } from 'vitest';
import { TimedCodecs } from '../../workers/timed-codecs.js';

const LONG_MS = 2;
const RECORDS = new Uint8Array(3);

function busy(): void {
  const untilMs = performance.now() + LONG_MS;
  while (performance.now() < untilMs);
}

test('decompressing is timed, also where it fails, and told once; what is not compressed costs no look at the clock', () => {
  const codecs = new TimedCodecs({
    decompress: (codec) => {
      busy();
      if (codec === 'zstd') throw new Error('broken');
      return RECORDS;
    },
    checkRecords: () => busy(),
  });
  expect(codecs.takeMs()).toBe(0);
  expect(codecs.decompress('lz4', RECORDS, 10)).toBe(RECORDS);
  expect(codecs.takeMs()).toBeGreaterThanOrEqual(LONG_MS);
  expect(() => codecs.decompress('zstd', RECORDS, 10)).toThrow('broken');
  expect(codecs.takeMs()).toBeGreaterThanOrEqual(LONG_MS);
  codecs.checkRecords(RECORDS, 1, 0);
  codecs.decompress('none', RECORDS, 10);
  expect(codecs.takeMs()).toBe(0);
});
