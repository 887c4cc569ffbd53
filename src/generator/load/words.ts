/** The generator of random.ts (xoshiro128**) without a closure between: a word costs 2 ns, and a load draws ten an event. */
export class Words {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let mix = seed | 0;
    const next = () => {
      mix = (mix + 0x9e3779b9) | 0;
      let z = mix;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** 32 bits, signed. */
  next(): number {
    const b = this.#b;
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return result;
  }

  /** Uniform in [0, 1), in steps of 2⁻³². */
  float(): number {
    return (this.next() >>> 0) / 2 ** 32;
  }

  /** Uniform whole number in [0, bound); bound ≤ 2³². */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.float());
  }
}
