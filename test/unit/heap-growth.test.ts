import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { letHeapsGrow } from '#src/pool/heap-growth.js';

/** Beside a million objects that stay goes through others that live for a while; says how often V8 marked all of them. */
const WORKER = `
  const { parentPort } = require('node:worker_threads');
  const { constants, PerformanceObserver } = require('node:perf_hooks');
  let majors = 0;
  const count = (list) => {
    majors += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  };
  new PerformanceObserver(count).observe({ entryTypes: ['gc'] });
  const objects = (count) => Array.from({ length: count }, (_, index) => ({ index }));
  const staying = objects(1_000_000);
  const lists = [];
  let left = 800;
  const step = () => {
    lists.push(objects(10_000));
    if (lists.length > 40) lists.shift();
    if (left-- > 0) setImmediate(step);
    else setTimeout(() => parentPort.postMessage({ majors, staying: staying.length }), 20);
  };
  step();
`;

async function majorCollections(): Promise<number> {
  const worker = new Worker(WORKER, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 768 } });
  const [{ majors }] = await once(worker, 'message');
  await worker.terminate();
  return majors;
}

test('a worker marks its heap less often once heaps may grow', async () => {
  const before = await majorCollections();
  letHeapsGrow();
  const after = await majorCollections();
  expect(after).toBeLessThan(before * 0.7);
}, 240_000);
