/** The four words that a partition's chance begins with (xoshiro128**, as in random.ts; it goes on in `assembly/words`). */
export function seedWords(seed: number): number[] {
  let mix = seed | 0;
  return Array.from({ length: 4 }, () => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  });
}
