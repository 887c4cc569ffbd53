import { seededRandom } from '#src/random.js';

/** Contents for codecs, the same everywhere for the same seed: what compresses as events do, and what does not. */

export function eventLines(seed: number, bytes: number): Buffer {
  const random = seededRandom(seed);
  const pages = ['/', '/cart', '/products/shoes', '/search?q=caf\u00e9', '/checkout'];
  const lines: string[] = [];
  for (let written = 0; written < bytes; ) {
    const event = {
      event_id: random.id63().toString(16),
      user_id: `user-${random.below(50)}`,
      event_type: random.below(5) === 0 ? 'add_to_cart' : 'page_view',
      page: pages[random.below(pages.length)],
      duration_ms: random.below(100_000),
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
    };
    lines.push(`${JSON.stringify(event)}\n`);
    written += lines.at(-1)!.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

export function noise(seed: number, bytes: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Uint8Array.from({ length: bytes }, () => random.below(256)));
}
