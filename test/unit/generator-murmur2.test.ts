import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '#src/generator/murmur2.js';

/** From Apache Kafka's UtilsTest#testMurmur2. */
const JAVA: [key: string, hash: number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('murmur2', () => {
  it.each(JAVA)('hashes %s as Java does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('takes the sign off before the partition is chosen, and hashes the UTF-8 of a key', () => {
    expect(partitionOf('21', 24)).toBe((-973932308 & 0x7fffffff) % 24);
    expect(partitionOf('abc', 24)).toBe(479470107 % 24);
    expect(partitionOf('münchen', 24)).toBe((murmur2(Buffer.from('münchen')) & 0x7fffffff) % 24);
  });
});
