import { beforeAll, describe, expect, test } from 'vitest';
import { Kernel } from '#src/kernel/kernel.js';
import { loadModel } from '#src/model/load.js';
import { seededRandom } from '#src/random.js';

const MiB = 2 ** 20;
const PAGE_BYTES = 65_536;
const HEAP_AT = 4 * PAGE_BYTES + 8;
const HEAP_BYTES = 64 * MiB;
const SMALL_BYTES_MAX = 32_768;

describe('the kernel’s heap', () => {
  let kernel: Kernel;
  let usedAtStart = 0n;

  beforeAll(() => {
    const pages = (HEAP_AT - 8 + HEAP_BYTES) / PAGE_BYTES + 1;
    kernel = new Kernel({
      memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }),
      heapAt: HEAP_AT,
      heapBytes: HEAP_BYTES,
      model: loadModel('clickstream'),
      sessionBytesMax: HEAP_BYTES,
      recordBytesMax: MiB,
      seed: 1n,
      host: { decide: () => 0, decideNext: () => 0, late: () => {}, rows: () => {}, kept: () => {} },
    });
    usedAtStart = kernel.exports.memoryUsed();
  });

  test('gives blocks that do not overlap and takes them all back', () => {
    const random = seededRandom(20_261_122);
    const { exports, bytes } = kernel;
    let live: { at: number; size: number; tag: number }[] = [];
    let refused = 0;
    for (let step = 0; step < 200_000; step++) {
      const grows = step % 20_000 < 12_000;
      if (random.below(3) < (grows ? 2 : 1)) {
        const size = 1 + random.below([64, 300, SMALL_BYTES_MAX, 4 * MiB][random.below(40) % 4]!);
        const at = exports.alloc(size) >>> 0;
        if (at === 0) {
          refused++;
          continue;
        }
        expect(at % 8).toBe(0);
        const tag = 1 + random.below(255);
        bytes[at] = tag;
        bytes[at + size - 1] = tag;
        live.push({ at, size, tag });
      } else if (live.length > 0) {
        const index = random.below(live.length);
        const { at, size, tag } = live[index]!;
        live[index] = live.at(-1)!;
        live.pop();
        if (bytes[at] !== tag || bytes[at + size - 1] !== tag) expect.unreachable('blocks overlap');
        exports.free(at);
      }
    }
    for (const { at } of live) exports.free(at);
    live = [];
    expect(refused).toBeGreaterThan(0);
    expect(exports.memoryUsed()).toBe(usedAtStart);
  });

  test('puts pages together again: what small blocks took is there for a large one', () => {
    const { exports } = kernel;
    const small: number[] = [];
    for (let at = exports.alloc(200) >>> 0; at !== 0; at = exports.alloc(200) >>> 0) small.push(at);
    expect(small.length * 200).toBeGreaterThan(HEAP_BYTES * 0.75);
    expect(exports.alloc(16 * MiB)).toBe(0);
    for (const at of small) exports.free(at);
    const large = exports.alloc(16 * MiB) >>> 0;
    expect(large).not.toBe(0);
    exports.free(large);
    expect(exports.memoryUsed()).toBe(usedAtStart);
  });
});
