import { describe, expect, it } from 'vitest';
import {
  autoSessionMemoryBytes,
  BASE_BYTES,
  memoryTerms,
  ringPayloadBytesMax,
  violatedLimits,
  WORKER_HEAP_BASE_BYTES,
} from '#src/config/limits.js';
import { resolveConfig } from '#src/config/load.js';
import type { EngineConfig } from '#src/config/types.js';
import {
  replaySessionBytesMax,
  sessionMemoryBytesMax,
  WASM_PAGE_BYTES,
  WORKER_MEMORY_PAGES_MAX,
  workerMemory,
} from '#src/config/worker-memory.js';
import { READ_AHEAD_BYTES, RING_AT } from '#src/kernel/abi.js';
import { payloadBytesMax, ringBytes } from '#src/ring/layout.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

const MiB = 2 ** 20;
const { machine } = SURROUNDINGS;
const valid = resolveConfig({ name: 'engine.yaml', text: NEEDED }, {}, SURROUNDINGS);

/** The valid one with some settings changed. */
function changed(
  change: {
    [K in keyof EngineConfig]?: EngineConfig[K] extends object ? Partial<EngineConfig[K]> : EngineConfig[K];
  },
): EngineConfig {
  const merged = Object.entries(change).map(([name, value]) => {
    const whole =
      typeof value === 'object' ? { ...(valid[name as keyof EngineConfig] as object), ...value } : value;
    return [name, whole];
  });
  return { ...valid, ...Object.fromEntries(merged) };
}
const violated = (config: EngineConfig) => violatedLimits(config, machine).map(({ path }) => path);

describe('limits', () => {
  it('hold for the defaults', () => {
    expect(violatedLimits(valid, machine)).toEqual([]);
  });

  it('know what a record of the ring takes', () => {
    for (const ringBytes of [MiB, 64 * MiB, 2048 * MiB]) {
      expect(ringPayloadBytesMax(ringBytes)).toBe(payloadBytesMax(ringBytes));
    }
  });

  const limits = (change: Partial<EngineConfig['limits']>) => changed({ limits: change });
  const fetch = (change: Partial<EngineConfig['fetch']>) => changed({ fetch: change });
  /** The last value that holds, the first that does not, and who is named. */
  const edges: [string, EngineConfig, EngineConfig, string][] = [
    [
      'a ring is a power of two',
      limits({ ringBytes: 32 * MiB }),
      limits({ ringBytes: 48 * MiB }),
      'limits.ring_bytes',
    ],
    [
      'a partition’s answer fits into the ring',
      fetch({ partitionBytes: 32 * MiB - 160 }),
      fetch({ partitionBytes: 32 * MiB - 159 }),
      'fetch.partition_bytes',
    ],
    [
      'something can be fetched',
      fetch({ inFlightBytes: MiB }),
      fetch({ inFlightBytes: MiB - 1 }),
      'fetch.partition_bytes',
    ],
    [
      'an answer holds a partition',
      fetch({ responseBytesMax: MiB + 65_536 }),
      fetch({ responseBytesMax: MiB + 65_535 }),
      'fetch.partition_bytes',
    ],
    [
      'a plain batch may be as large as it was fetched',
      limits({ recordBytesMax: MiB, decompressedBatchBytesMax: MiB }),
      limits({ recordBytesMax: 1024, decompressedBatchBytesMax: MiB - 1 }),
      'fetch.partition_bytes',
    ],
    [
      'a record lies in a batch',
      limits({ recordBytesMax: 128 * MiB }),
      limits({ recordBytesMax: 128 * MiB + 1 }),
      'limits.record_bytes_max',
    ],
    [
      'a snapshot is taken at a cut',
      changed({ cutIntervalMs: 2_000, snapshotIntervalMs: 2_000 }),
      changed({ cutIntervalMs: 2_001, snapshotIntervalMs: 2_000 }),
      'cut_interval',
    ],
    [
      'an orderly stop has time for a cut',
      changed({ cutIntervalMs: 2_000, drainTimeoutMs: 2_000 }),
      changed({ cutIntervalMs: 2_001, drainTimeoutMs: 2_000 }),
      'cut_interval',
    ],
    [
      'an orderly stop has time for a fetch',
      changed({ fetch: { maxWaitMs: 2_000 }, drainTimeoutMs: 2_000 }),
      changed({ fetch: { maxWaitMs: 2_001 }, drainTimeoutMs: 2_000 }),
      'fetch.max_wait',
    ],
    [
      'the group waits for who drains',
      changed({ drainTimeoutMs: 300_000 }),
      changed({ drainTimeoutMs: 300_001 }),
      'drain_timeout',
    ],
    [
      'three heartbeats fit into the session time-out',
      changed({ kafka: { sessionTimeoutMs: 9_000, librdkafka: { 'heartbeat.interval.ms': 3_000 } } }),
      changed({ kafka: { sessionTimeoutMs: 8_999, librdkafka: { 'heartbeat.interval.ms': 3_000 } } }),
      'kafka.librdkafka.heartbeat.interval.ms',
    ],
    [
      'the session time-out is within the poll interval',
      changed({ kafka: { sessionTimeoutMs: 300_000 } }),
      changed({ kafka: { sessionTimeoutMs: 300_001 } }),
      'kafka.session_timeout',
    ],
  ];
  it.each(edges)('%s, to the last value', (_, holds, breaks, path) => {
    expect(violated(holds)).toEqual([]);
    expect(violated(breaks)).toEqual([path]);
  });

  it('hold for the shortest session time-out by themselves', () => {
    expect(violated(changed({ kafka: { sessionTimeoutMs: 6_000 } }))).toEqual([]);
  });

  it('leave session time-out and heartbeat to the broker with the consumer protocol', () => {
    const kafka = { sessionTimeoutMs: 6_000, groupProtocol: 'consumer' as const };
    expect(violated(changed({ kafka }))).toEqual([]);
  });

  it('list all that is violated, not only the first', () => {
    const config = changed({
      cutIntervalMs: 60_000,
      limits: { ringBytes: 3 * MiB, recordBytesMax: 129 * MiB },
    });
    expect(violated(config)).toEqual([
      'limits.ring_bytes',
      'limits.record_bytes_max',
      'cut_interval',
      'cut_interval',
    ]);
  });
});

describe('memory', () => {
  it('is the sum of everything that can be full, for all workers', () => {
    const config = changed({ workers: 3, limits: { sessionMemoryBytes: 100 * MiB } });
    const sum = memoryTerms(config).reduce((total, { bytes }) => total + bytes, 0);
    const perWorker = 100 * MiB + (25 + 128) * MiB + 64 * MiB + 128 * MiB + WORKER_HEAP_BASE_BYTES;
    expect(sum).toBe(3 * perWorker + 64 * MiB + 128 * MiB + BASE_BYTES);
    expect(violatedLimits(config, { cores: 4, memoryBytes: sum })).toEqual([]);
    const [problem] = violatedLimits(config, { cores: 4, memoryBytes: sum - 1 });
    expect(problem?.path).toBe('limits');
    expect(problem?.message).toMatch(/limits\.ring_bytes × 3 workers 192MiB/);
  });

  it('for the reference, whose sessions are objects, is twice what is counted', () => {
    const config = changed({ workers: 1, limits: { sessionMemoryBytes: 100 * MiB } });
    const sum = memoryTerms({ ...config, engine: 'reference' }).reduce(
      (total, { bytes }) => total + bytes,
      0,
    );
    const perWorker = 2 * 100 * MiB + 64 * MiB + 128 * MiB + WORKER_HEAP_BASE_BYTES;
    expect(sum).toBe(perWorker + 64 * MiB + 128 * MiB + BASE_BYTES);
  });

  it('for sessions is 1GiB a worker where there is enough', () => {
    expect(autoSessionMemoryBytes(valid, { cores: 4, memoryBytes: 2 ** 36 })).toBe(2 ** 30);
  });

  it('for sessions leaves a quarter of a small machine free, and the sum still fits', () => {
    for (const memoryMiB of [2_200, 3_000, 4_096, 8_192]) {
      const small = { cores: 2, memoryBytes: memoryMiB * MiB };
      const config = resolveConfig(
        { name: 'engine.yaml', text: NEEDED },
        {},
        { ...SURROUNDINGS, machine: small },
      );
      const sum = memoryTerms(config).reduce((total, { bytes }) => total + bytes, 0);
      expect(sum).toBeLessThanOrEqual(memoryMiB * MiB * 0.75);
      expect(config.limits.sessionMemoryBytes).toBeGreaterThanOrEqual(64 * MiB);
    }
  });

  it('of a machine that is too small for even the least is refused with the sum', () => {
    const tiny = { cores: 2, memoryBytes: 512 * MiB };
    expect(() =>
      resolveConfig({ name: 'engine.yaml', text: NEEDED }, {}, { ...SURROUNDINGS, machine: tiny }),
    ).toThrow(/may need 1552MiB and the machine has 512MiB/);
  });
});

describe('a worker’s memory', () => {
  const limits = (change: Partial<EngineConfig['limits']>) => ({ ...valid.limits, ...change });

  it('holds ring, decompressed batch and heap one behind the other', () => {
    const place = workerMemory(limits({ ringBytes: MiB, decompressedBatchBytesMax: MiB }), 'kernel');
    expect(place.ringAt).toBe(RING_AT);
    expect(place.decompressedAt).toBeGreaterThanOrEqual(RING_AT + ringBytes(MiB));
    expect(place.decompressedBytes).toBeGreaterThanOrEqual(MiB + READ_AHEAD_BYTES);
    expect(place.heapAt).toBe(place.decompressedAt + place.decompressedBytes);
    expect(place.totalPages * WASM_PAGE_BYTES).toBe(place.heapAt + place.heapBytes);
    for (const at of [place.ringAt, place.decompressedAt, place.heapAt]) expect(at % WASM_PAGE_BYTES).toBe(0);
  });

  it('has a quarter of the session memory beside it, and room for the largest records', () => {
    const heapMiB = (recordMiB: number) =>
      workerMemory(limits({ sessionMemoryBytes: 1024 * MiB, recordBytesMax: recordMiB * MiB }), 'kernel')
        .heapBytes / MiB;
    expect([1, 16, 17].map(heapMiB)).toEqual([1024 + 256 + 128, 1024 + 256 + 128, 1024 + 256 + 136]);
  });

  it('has room for a replay that takes more than the limit', () => {
    const { heapBytes } = workerMemory(limits({ sessionMemoryBytes: 1024 * MiB }), 'kernel');
    expect(replaySessionBytesMax({ sessionMemoryBytes: 1024 * MiB })).toBeLessThan(heapBytes - 128 * MiB);
  });

  it('is the ring alone for the reference', () => {
    const { totalPages } = workerMemory(limits({ ringBytes: MiB }), 'reference');
    expect(totalPages * WASM_PAGE_BYTES).toBe(RING_AT + MiB + WASM_PAGE_BYTES);
  });

  it('takes session memory up to what 32 bits address, to the last MiB', () => {
    const most = sessionMemoryBytesMax(valid.limits);
    const violations = (sessionMemoryBytes: number) => {
      const config = changed({ workers: 1, limits: { sessionMemoryBytes } });
      return violatedLimits(config, { cores: 2, memoryBytes: 2 ** 40 });
    };
    expect(workerMemory(limits({ sessionMemoryBytes: most }), 'kernel').totalPages).toBeLessThanOrEqual(
      WORKER_MEMORY_PAGES_MAX,
    );
    expect(violations(most)).toEqual([]);
    expect(violations(most + MiB).map(({ path }) => path)).toEqual(['limits.session_memory_bytes']);
    expect(violations(most + MiB)[0]!.message).toContain('at most 3020MiB');
    expect(violations(most + MiB)[0]!.message).toContain('more workers');
  });

  it('of the reference has no such end', () => {
    const config = {
      ...changed({ limits: { sessionMemoryBytes: 8 * 2 ** 30 } }),
      engine: 'reference' as const,
    };
    expect(violatedLimits(config, { cores: 2, memoryBytes: 2 ** 40 })).toEqual([]);
  });

  it('that other limits fill names them', () => {
    const config = changed({ limits: { ringBytes: 2 ** 31, decompressedBatchBytesMax: 2 ** 31 } });
    const [problem] = violatedLimits(config, { cores: 2, memoryBytes: 2 ** 40 });
    expect(problem?.message).toMatch(/ring \(2GiB\), batch \(2GiB\), records \(8 × 16MiB\) .* lower these/);
  });

  it('for `auto` is no more than fits', () => {
    const large = { ...valid, limits: limits({ ringBytes: 2 ** 31 }) };
    const auto = autoSessionMemoryBytes(large, { cores: 2, memoryBytes: 2 ** 40 });
    expect(auto).toBe(2 ** 30);
    const tight = { ...large, limits: { ...large.limits, decompressedBatchBytesMax: 2 ** 30 } };
    const little = autoSessionMemoryBytes(tight, { cores: 2, memoryBytes: 2 ** 40 });
    expect(little).toBe(sessionMemoryBytesMax(tight.limits));
    expect(little).toBeLessThan(2 ** 30);
  });
});
