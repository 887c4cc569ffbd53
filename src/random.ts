/** The only way to randomness, so that a seed replays a run. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** Uniform whole number in [0, bound). */
  below(bound: number): number;
  /** Uniform in 0…2⁶³−1: what fits a Delta long and a ClickHouse UInt64. */
  id63(): bigint;
}

/** Seeded generator (xoshiro128**): 32 bits a step, period 2¹²⁸−1. The same seed gives the same sequence everywhere. */
export function seededRandom(seed: number): Random {
  // splitmix32 spreads a small seed over the four words
  let mix = seed >>> 0;
  const next = () => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const s = Uint32Array.of(next(), next(), next(), next());
  const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k));
  const word = () => {
    const result = Math.imul(rotl(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3]! = rotl(s[3]!, 11);
    return result;
  };
  return fromWords(word);
}

function fromWords(word: () => number): Random {
  const float = () => (word() * 2 ** 21 + (word() >>> 11)) / 2 ** 53;
  return {
    float,
    below: (bound) => Math.floor(float() * bound),
    id63: () => (BigInt(word() >>> 1) << 32n) | BigInt(word()),
  };
}

export const systemRandom: Random = fromWords(() => {
  const word = new Uint32Array(1);
  crypto.getRandomValues(word);
  return word[0]!;
});
