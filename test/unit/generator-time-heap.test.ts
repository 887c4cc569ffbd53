import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimeHeap } from '#src/generator/time-heap.js';

const time = fc.nat({ max: 50 });
const action = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), time }),
  fc.record({ kind: fc.constant('pop' as const), time }),
  fc.record({ kind: fc.constant('moveTop' as const), time }),
);

describe('TimeHeap', () => {
  it('always has the earliest on top, like a list that is searched', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = new TimeHeap<{ id: number }>();
        const list = new Map<object, number>();
        for (const [id, { kind, time }] of actions.entries()) {
          if (kind === 'push') {
            const item = { id };
            heap.push(time, item);
            list.set(item, time);
          } else if (list.size > 0) {
            const top = heap.peek()!;
            expect(list.get(top)).toBe(Math.min(...list.values()));
            if (kind === 'pop') {
              expect(heap.pop()).toBe(top);
              list.delete(top);
            } else {
              heap.moveTop(time);
              list.set(top, time);
            }
          }
          expect(heap.size).toBe(list.size);
          expect(heap.topMs).toBe(Math.min(Number.POSITIVE_INFINITY, ...list.values()));
        }
        expect(list.size === 0 ? heap.pop() : null).toBe(list.size === 0 ? undefined : null);
      }),
    );
  });
});
