import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import type { HeadraceError } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import { Fetcher } from '../../kafka/fetcher.js';
import type { Topic } from '../../kafka/topic.js';
import type { LaneGap } from '../../ledger/types.js';
import { systemRandom } from '../../random.js';
import { type AbortedTransaction, decodeAborted } from '../../reference/aborted-transactions.js';
import { RingConsumer } from '../../ring/consumer.js';
import { RecordType, ringBytes } from '../../ring/layout.js';
import { RingProducer } from '../../ring/producer.js';
import { RingWriter } from '../../ring/writer.js';
import type { Log } from '../../telemetry/log.js';

/** A partition as an engine fetches it, for one that reads it alone and in this thread. */
export interface LaneData {
  /** Whole record batches, valid until the next are asked for. */
  bytes: Uint8Array;
  aborted: readonly AbortedTransaction[];
  from: bigint;
  /** The position behind them. */
  until: bigint;
}

export interface LaneLogOptions {
  config: EngineConfig;
  cluster: Cluster;
  topic: Topic;
  log: Log;
}

const WAIT_MS = 50;
const INCARNATION = 1;

/**
 * The log of a partition from an offset up to another, over the gaps that the lane passed. Throws HeadraceError: what halts an
 * engine's lane there.
 */
export async function* laneLog(
  { config, cluster, topic, log }: LaneLogOptions,
  lane: { partition: number; from: bigint; until: bigint; gaps: readonly LaneGap[] },
): AsyncGenerator<LaneData> {
  const capacityBytes = config.limits.ringBytes;
  const place = { buffer: new SharedArrayBuffer(ringBytes(capacityBytes)), baseBytes: 0, capacityBytes };
  const ring = new RingWriter(new RingProducer(place));
  const consumer = new RingConsumer(place);
  const stood: { error: HeadraceError | null } = { error: null };
  const { fetch, kafka } = config;
  const fetcher = new Fetcher({
    cluster,
    topic,
    ringOf: () => ring,
    limits: {
      partitionFetchBytes: fetch.partitionBytes,
      fetchBytesInFlight: fetch.inFlightBytes,
      responseBytesMax: fetch.responseBytesMax,
      maxWaitMs: fetch.maxWaitMs,
      minBytes: 1,
    },
    isolation: kafka.isolation,
    log,
    clock: systemClock,
    random: systemRandom,
    acceptsGap: (_, from, to) => lane.gaps.some((gap) => BigInt(gap.from) === from && BigInt(gap.to) === to),
    onEvent: (event) => {
      if (event.type === 'lane-halted') stood.error = event.error;
    },
  });
  try {
    let position = lane.from;
    const { partition, from, until } = lane;
    if (position < until)
      fetcher.addLane({ partition, incarnation: INCARNATION, offset: from, endOffset: until });
    while (position < until) {
      const record = consumer.peek();
      if (record === null) {
        if (stood.error !== null) throw stood.error;
        // a waitAsync alone does not keep the process alive
        await Promise.race([consumer.wait(WAIT_MS), systemClock.sleep(WAIT_MS)]);
        continue;
      }
      const { type, offset, aux, bytes } = record;
      if (type === RecordType.seek) {
        yield { bytes: new Uint8Array(0), aborted: [], from: position, until: offset };
        position = offset;
      } else {
        const { aborted, batches } =
          type === RecordType.dataWithAborted ? decodeAborted(bytes) : { aborted: [], batches: bytes };
        yield { bytes: batches, aborted, from: offset, until: aux };
        position = aux;
      }
      consumer.advance();
    }
  } finally {
    ring.close();
    await fetcher.close();
  }
}
