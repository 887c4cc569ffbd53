import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerAssembly } from '#src/kafka/answer-assembly.js';

const MAX = 300_000;

/** Writes a stream as a socket would, at most the n-th cut at a time, and remembers the answers. */
class Stream {
  readonly answers: Buffer[] = [];
  readonly spaces: number[] = [];
  readonly assembly: AnswerAssembly;

  constructor(onAnswer: (answer: Buffer, assembly: AnswerAssembly) => void) {
    this.assembly = new AnswerAssembly(MAX, (answer) => onAnswer(answer, this.assembly));
  }

  write(bytes: Buffer, cuts: readonly number[] = []): void {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const space = this.assembly.space();
      this.spaces.push(space.length);
      const cut = cuts.length === 0 ? Number.POSITIVE_INFINITY : cuts[turn % cuts.length]!;
      const came = Math.min(space.length, bytes.length - at, cut);
      bytes.copy(space, 0, at, at + came);
      this.assembly.accept(came);
      at += came;
    }
  }
}

function frame(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(4 + length);
  for (let i = 4; i < bytes.length; i++) bytes[i] = (i * 31 + seed) & 0xff;
  bytes.writeInt32BE(length, 0);
  return bytes;
}

const lengths = fc.oneof(
  fc.integer({ min: 4, max: 60 }),
  fc.integer({ min: 16_370, max: 16_390 }),
  fc.integer({ min: 65_500, max: 65_600 }),
  fc.integer({ min: 4, max: MAX }),
);
const sizes = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1_000, max: 100_000 }));
const cuts = fc.array(sizes, { minLength: 1, maxLength: 9 }).filter((all) => all.some((cut) => cut >= 1_000));

describe('answers', () => {
  test('come whole and in order, however they are cut, whether or not they are given back at once', () => {
    const given = fc.record({ all: fc.array(lengths, { maxLength: 8 }), cuts, recycled: fc.boolean() });
    fc.assert(
      fc.property(given, ({ all, cuts, recycled }) => {
        const sent = all.map((length, at) => frame(length, at));
        const came: Buffer[] = [];
        const stream = new Stream((answer, assembly) => {
          came.push(recycled ? Buffer.from(answer) : answer);
          if (recycled) assembly.recycle();
        });
        stream.write(Buffer.concat(sent), cuts);
        expect(came.length).toBe(sent.length);
        came.forEach((answer, at) => {
          expect(answer.equals(sent[at]!.subarray(4))).toBe(true);
        });
        expect(Math.min(...stream.spaces, 1)).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test('that were given back leave their place to the next one', () => {
    const came: Buffer[] = [];
    const stream = new Stream((answer, assembly) => {
      came.push(answer);
      assembly.recycle();
    });
    stream.write(Buffer.concat([frame(250_000, 1), frame(100_000, 2), frame(250_000, 3)]));
    expect(new Set(came.map(({ buffer }) => buffer)).size).toBe(1);
  });

  test('that were not are left alone', () => {
    const came: Buffer[] = [];
    const stream = new Stream((answer) => came.push(answer));
    stream.write(Buffer.concat([frame(40, 1), frame(100_000, 2), frame(250_000, 3)]));
    expect(new Set(came.map(({ buffer }) => buffer)).size).toBe(3);
  });
});

describe('a length', () => {
  test.each([MAX + 1, 0x7fffffff, 3, 0, -1, -5])('of %i is refused, behind good answers too', (length) => {
    const lie = Buffer.alloc(30);
    lie.writeInt32BE(length, 0);
    const code = length > MAX ? 'KAFKA_RESPONSE_TOO_LARGE' : 'KAFKA_PROTOCOL';
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 3 }), cuts, (all, cuts) => {
        const came: number[] = [];
        const stream = new Stream((answer) => came.push(answer.length));
        const bytes = Buffer.concat([...all.map((each) => frame(each, 0)), lie]);
        expect(() => stream.write(bytes, cuts)).toThrow(expect.objectContaining({ code }));
        expect(came).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });

  test('that is announced and not sent takes no memory', () => {
    const assembly = new AnswerAssembly(2 ** 31 - 1, () => undefined);
    const lie = Buffer.alloc(10_000);
    lie.writeInt32BE(2 ** 31 - 1, 0);
    lie.copy(assembly.space());
    assembly.accept(lie.length);
    expect(assembly.space().buffer.byteLength).toBeLessThan(100_000);
  });
});
