import { readFileSync } from 'node:fs';
import { eventLines, noise } from './codec-content.js';

/** What zstd 1.5.4 and lz4 1.9.4 made of two contents, by their command lines. */

export const SMALL_CONTENT = eventLines(1, 3000);
/** Of several blocks: events, noise, a run of one byte, the same events again. */
export const MIXED_CONTENT = Buffer.concat([
  eventLines(2, 40_000),
  noise(2, 1500),
  Buffer.alloc(150_000, 7),
  eventLines(2, 40_000),
]);

export const FIXTURES = [
  { codec: 'zstd', name: 'zstd-3-sized', content: SMALL_CONTENT },
  { codec: 'zstd', name: 'zstd-19-sized-checked', content: SMALL_CONTENT },
  { codec: 'zstd', name: 'zstd-1-streamed', content: SMALL_CONTENT },
  { codec: 'zstd', name: 'zstd-9-mixed', content: MIXED_CONTENT },
  { codec: 'zstd', name: 'zstd-3-mixed-streamed-checked', content: MIXED_CONTENT },
  { codec: 'zstd', name: 'zstd-22-mixed-window-128mib', content: MIXED_CONTENT },
  { codec: 'lz4', name: 'lz4-1-mixed-linked-all-checked', content: MIXED_CONTENT },
  { codec: 'lz4', name: 'lz4-9-mixed-linked-64kib', content: MIXED_CONTENT },
  { codec: 'lz4', name: 'lz4-1-mixed-independent', content: MIXED_CONTENT },
] as const;

export function fixture(name: (typeof FIXTURES)[number]['name']): Buffer {
  const url = new URL(`../fixtures/codecs/${name}.base64`, import.meta.url);
  return Buffer.from(readFileSync(url, 'utf8'), 'base64');
}
