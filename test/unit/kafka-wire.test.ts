import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { FrameGuard } from '#src/kafka/frame-guard.js';
import { type Api, decodeResponse } from '#src/kafka/wire/api.js';
import { apiVersionsApi } from '#src/kafka/wire/api-versions.js';
import { ByteSlices } from '#src/kafka/wire/byte-slices.js';
import { fetchApi } from '#src/kafka/wire/fetch.js';
import { listOffsetsApi } from '#src/kafka/wire/list-offsets.js';
import { metadataApi } from '#src/kafka/wire/metadata.js';
import { offsetForLeaderEpochApi } from '#src/kafka/wire/offset-for-leader-epoch.js';
import { WireWriter } from '#src/kafka/wire/writer.js';
import {
  decodeEpochRequest,
  decodeFetchRequest,
  decodeListOffsetsRequest,
  decodeMetadataRequest,
  encodeApiVersions,
  encodeEpochEnds,
  encodeFetch,
  encodeListOffsets,
  encodeMetadata,
} from '../support/fake-broker-codec.js';

const versions = { errorCode: 0, ranges: [{ key: 1, versionMin: 4, versionMax: 17 }] };
const metadata = {
  throttleTimeMs: 3,
  clusterId: 'cluster-ü',
  brokers: [
    { nodeId: 7, host: 'broker.example', port: 9092, rack: 'eu-1a' },
    { nodeId: 8, host: '127.0.0.1', port: 19092, rack: null },
  ],
  topics: [
    {
      errorCode: 0,
      name: 'clicks',
      topicId: '0123456789abcdef0123456789abcdef',
      partitions: [
        { errorCode: 0, partition: 0, leaderId: 7, leaderEpoch: 12 },
        { errorCode: 5, partition: 1, leaderId: -1, leaderEpoch: 13 },
      ],
    },
    { errorCode: 3, name: 'missing', topicId: '0'.repeat(32), partitions: [] },
  ],
};
const offsets = {
  throttleTimeMs: 0,
  topics: [
    {
      topic: 'clicks',
      partitions: [
        { partition: 0, errorCode: 0, offset: 2n ** 53n + 1n, leaderEpoch: 4 },
        { partition: 1, errorCode: 6, offset: -1n, leaderEpoch: -1 },
      ],
    },
  ],
};
const epochEnds = {
  throttleTimeMs: 0,
  topics: [{ topic: 'clicks', partitions: [{ errorCode: 0, partition: 3, leaderEpoch: 5, endOffset: 99n }] }],
};
const fetched = {
  throttleTimeMs: 25,
  errorCode: 0,
  topics: [
    {
      topic: 'clicks',
      partitions: [
        {
          partition: 0,
          errorCode: 0,
          highWatermark: 100n,
          lastStableOffset: 90n,
          logStartOffset: 5n,
          abortedTransactions: [{ producerId: 8n, firstOffset: 70n }],
          preferredReadReplica: -1,
          records: Buffer.from('these would be record batches'),
        },
        {
          partition: 4,
          errorCode: 1,
          highWatermark: -1n,
          lastStableOffset: -1n,
          logStartOffset: -1n,
          abortedTransactions: [],
          preferredReadReplica: 2,
          records: null,
        },
      ],
    },
  ],
};

/** The responses with records as text, so that they can be compared. */
function plain(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value) => {
      if (key === 'records') return value === null ? '' : textOf(value);
      return typeof value === 'bigint' ? `${value}n` : value;
    }),
  );
}

function textOf(records: ByteSlices | { type: 'Buffer'; data: number[] }): string {
  if (!(records instanceof ByteSlices)) return Buffer.from(records.data).toString();
  const bytes = new Uint8Array(records.length);
  records.copyTo(bytes);
  return Buffer.from(bytes).toString();
}

interface Case {
  api: Api<never, unknown>;
  response: unknown;
  bytes: Buffer;
}

const CASES: Case[] = [
  { api: apiVersionsApi as Api<never, unknown>, response: versions, bytes: encodeApiVersions(versions) },
  { api: metadataApi, response: metadata, bytes: encodeMetadata(metadata) },
  { api: listOffsetsApi, response: offsets, bytes: encodeListOffsets(offsets) },
  { api: offsetForLeaderEpochApi, response: epochEnds, bytes: encodeEpochEnds(epochEnds) },
  { api: fetchApi, response: fetched, bytes: encodeFetch(fetched) },
];

const decode = (api: Api<never, unknown>, slices: ByteSlices) =>
  decodeResponse(api, slices.reader(`${api.name} response`));

function chunked(bytes: Buffer, cuts: readonly number[]): ByteSlices {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i]!, end));
  return new ByteSlices([Buffer.alloc(0), ...chunks], bytes.length);
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof HeadraceError ? error.code : `not ours: ${error}`;
  }
}

describe.each(CASES)('a response of $api.name', ({ api, response, bytes }) => {
  test('is read as it was written, however it is cut into chunks', () => {
    expect(plain(decode(api, ByteSlices.of(bytes)))).toEqual(plain(response));
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(plain(decode(api, chunked(bytes, cuts)))).toEqual(plain(response));
      }),
    );
  });

  test('fails cleanly when it ends early, at every byte', () => {
    for (let length = 0; length < bytes.length; length++) {
      const prefix = ByteSlices.of(bytes.subarray(0, length));
      expect([length, codeOf(() => decode(api, prefix))]).toEqual([length, 'KAFKA_PROTOCOL']);
    }
  });

  test('is refused with bytes behind its end', () => {
    const longer = ByteSlices.of(Buffer.concat([bytes, Buffer.from([1, 2, 3])]));
    expect(codeOf(() => decode(api, longer))).toBe('KAFKA_PROTOCOL');
  });

  test('with bytes changed at random is read or refused, and nothing else', () => {
    const change = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(change, (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        expect([undefined, 'KAFKA_PROTOCOL']).toContain(codeOf(() => decode(api, ByteSlices.of(changed))));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a request', () => {
  const read = <Request>(api: Api<Request, unknown>, request: Request) => {
    const writer = new WireWriter();
    api.encode(writer, request);
    return ByteSlices.of(writer.toBuffer()).reader(`${api.name} request`);
  };

  test('for metadata names its topics and creates none', () => {
    const request = { topics: ['clicks', 'orders-ü'] };
    expect(decodeMetadataRequest(read(metadataApi, request))).toEqual(request);
  });

  test.each(['read_committed', 'read_uncommitted'] as const)(
    'for offsets carries isolation (%s), timestamps and leader epochs',
    (isolation) => {
      const partitions = [{ partition: 3, currentLeaderEpoch: 7, timestamp: -2n }];
      const request = { topic: 'clicks', isolation, partitions };
      expect(decodeListOffsetsRequest(read(listOffsetsApi, request))).toEqual(request);
    },
  );

  test('for the end of an epoch carries both epochs', () => {
    const request = { topic: 'clicks', partition: 2, currentLeaderEpoch: 9, leaderEpoch: 8 };
    expect(decodeEpochRequest(read(offsetForLeaderEpochApi, request))).toEqual(request);
  });

  test.each(['read_committed', 'read_uncommitted'] as const)(
    'for records has isolation (%s), no session, and keeps the order of its partitions',
    (isolation) => {
      const request = {
        maxWaitMs: 500,
        minBytes: 1,
        bytesMax: 2 ** 20,
        isolation,
        topic: 'clicks',
        rack: 'eu-1a',
        partitions: [
          { partition: 5, currentLeaderEpoch: 2, fetchOffset: 2n ** 60n, partitionBytesMax: 1000 },
          { partition: 1, currentLeaderEpoch: -1, fetchOffset: 0n, partitionBytesMax: 2000 },
        ],
      };
      expect(decodeFetchRequest(read(fetchApi, request))).toEqual(request);
    },
  );
});

test('a message in pieces is the same bytes; what is large is not copied, what is small lies together', () => {
  const large = Buffer.alloc(5_000, 7);
  const writer = new WireWriter().int32(1).string('topic').raw(large).int16(2).int32(3).raw(large).raw(large);
  const pieces = writer.toPieces();
  expect(Buffer.concat(pieces).equals(writer.toBuffer())).toBe(true);
  expect(pieces.map((piece) => piece === large)).toEqual([false, true, false, true, true]);
  expect(new WireWriter().toPieces()).toEqual([]);
});

describe('a lying size', () => {
  const fetchHead = () => new WireWriter().int32(0).int16(0).int32(0);

  test.each([
    ['number of topics', fetchHead().int32(0x7fffffff), 'elements announced'],
    ['number of topics, just too many,', fetchHead().int32(11), 'elements announced'],
    ['negative number of topics', fetchHead().int32(-2), 'elements announced'],
    ['topic name', fetchHead().int32(1).int16(0x7fff).int32(1), 'bytes announced'],
    ['negative topic name', fetchHead().int32(1).int16(-2).int32(1), 'bytes announced'],
    ['number of partitions', fetchHead().int32(1).string('t').int32(0x7fffffff), 'elements announced'],
  ])('of the %s is refused where it is announced', (_what, writer, words) => {
    const bytes = Buffer.concat([writer.toBuffer(), Buffer.alloc(64)]);
    expect(() => decode(fetchApi, ByteSlices.of(bytes))).toThrow(words);
  });

  test.each([0x7fffffff, -2, -0x80000000])('of records (%i) is refused', (size) => {
    const bytes = encodeFetch(fetched);
    const at = bytes.indexOf('these would be') - 4;
    bytes.writeInt32BE(size, at);
    expect(codeOf(() => decode(fetchApi, ByteSlices.of(bytes)))).toBe('KAFKA_PROTOCOL');
  });

  test('in a varint of more than 32 bits is refused', () => {
    const bytes = Buffer.from([0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    expect(codeOf(() => decode(metadataApi, ByteSlices.of(bytes)))).toBe('KAFKA_PROTOCOL');
  });
});

describe('the guard of a byte stream', () => {
  const frame = (length: number, bytes = length) => {
    const buffer = Buffer.alloc(4 + bytes, 0xff);
    buffer.writeInt32BE(length, 0);
    return buffer;
  };
  const feed = (bytes: Buffer, cuts: readonly number[]) => {
    const guard = new FrameGuard(1000);
    for (const chunk of chunked(bytes, cuts).chunks) {
      const refused = guard.tryRefuse(chunk);
      if (refused !== null) return refused;
    }
    return null;
  };

  test('lets frames up to the cap pass, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 4, max: 1000 })), fc.array(fc.nat()), (lengths, cuts) => {
        expect(feed(Buffer.concat(lengths.map((length) => frame(length))), cuts)).toBeNull();
      }),
    );
  });

  test.each([1001, 0x7fffffff, 3, 0, -1, -5])('refuses a length of %i behind good frames', (length) => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(feed(Buffer.concat([frame(10), frame(1000), frame(length, 20)]), cuts)).toBe(length);
      }),
    );
  });
});
