import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32c } from '@node-rs/crc32';
import { type Clock, systemClock } from '#src/clock.js';
import type { BrokerTransport, TransportOptions } from '#src/kafka/broker-transport.js';
import { LibraryTransport } from '#src/kafka/library-transport.js';
import { PlainTransport } from '#src/kafka/plain-transport.js';
import { fetchApi } from '#src/kafka/wire/fetch.js';
import { formatTable } from '#src/telemetry/progress.js';
import { type Machine, thisMachine } from '../machine.js';
import { median, processCpuMs } from '../measure.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { whole } from '../whole-number.js';
import { answerBytes } from './answer.js';

/**
 * The benchmark `transport`: CPU of bytes from a socket on loopback to where a ring would have them, by each way to a
 * broker. The sender is a process of its own and is not counted. Floor: to copy the bytes.
 */

export const USAGE = `npm run bench -- transport [--answer-mib N] [--rounds N] [--out FOLDER] [--json]

  --answer-mib N  MiB an answer has (8)
  --mib N         MiB a round (512)
  --rounds N      rounds that count, after one that warms up (7)
  --out FOLDER    write the result there as a file
  --json          the result as one line of JSON at the end`;

export interface TransportResult {
  benchmark: 'transport';
  startedAt: string;
  machine: Machine;
  answerMiB: number;
  /** CPU of the whole process, medians. */
  ways: { name: string; cpuMsPerMiB: number; ratioToCopy: number }[];
}

const MiB = 2 ** 20;
/** What is written is cold again when its place has its turn, as in a ring. */
const TARGET_BYTES = 64 * MiB;

interface Way {
  name: string;
  /** One answer to `target`. */
  receive(target: Uint8Array): Promise<void>;
}

/** Throws Error for flags it does not know, and for bytes that did not come as they were sent. */
export async function runTransport(
  args: readonly string[],
  output: Output,
  clock: Clock = systemClock,
): Promise<TransportResult> {
  const { answerMiB, answersPerRound, rounds, out, json } = parseOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const expected = answerBytes(answerMiB * MiB);
  const child = fork(fileURLToPath(new URL('./answering-child.js', import.meta.url)), {
    env: { ANSWER_BYTES: `${expected.length}` },
  });
  try {
    const [port] = (await once(child, 'message')) as [number];
    const transports = await connectAll(port, expected.length);
    const ways: Way[] = [
      { name: 'copy (floor)', receive: async (target) => target.set(expected) },
      ...transports.map(({ name, transport }) => ({ name, receive: receiverOf(transport) })),
    ];
    const samples = await measureWays(ways, expected, { answersPerRound, rounds, output });
    for (const { transport } of transports) transport.destroy();
    const result: TransportResult = {
      benchmark: 'transport',
      startedAt,
      machine,
      answerMiB,
      ways: ways.map(({ name }, at) => ({
        name,
        cpuMsPerMiB: median(samples[at]!) / (answersPerRound * answerMiB),
        ratioToCopy: median(samples[at]!.map((ms, round) => ms / samples[0]![round]!)),
      })),
    };
    report(result, output);
    if (out !== undefined) output.print(`\nwritten to ${writeResult(out, result)}`);
    if (json) output.print(JSON.stringify(result));
    return result;
  } finally {
    child.kill();
  }
}

function parseOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'answer-mib': text,
      mib: text,
      rounds: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  const answerMiB = whole('answer-mib', values['answer-mib'], 8);
  return {
    answerMiB,
    answersPerRound: Math.max(1, Math.round(whole('mib', values.mib, 512) / answerMiB)),
    rounds: whole('rounds', values.rounds, 7),
    out: values.out,
    json: values.json,
  };
}

async function connectAll(port: number, answerBytesMax: number) {
  const options: TransportOptions = {
    host: '127.0.0.1',
    port,
    clientId: 'bench',
    security: {},
    responseBytesMax: answerBytesMax + 64,
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 60_000,
  };
  const fail = (error: unknown) => assert.equal(`${error}`, 'Error: connection closed by us');
  const transports: { name: string; transport: BrokerTransport }[] = [
    { name: 'PlainTransport: onread', transport: new PlainTransport(options, fail) },
    { name: "LibraryTransport: 'data' events", transport: new LibraryTransport(options, fail) },
  ];
  for (const { transport } of transports) await transport.connect();
  return transports;
}

function receiverOf(transport: BrokerTransport): Way['receive'] {
  const request = {
    apiKey: fetchApi.key,
    apiVersion: fetchApi.version,
    flexible: false,
    body: [],
  };
  return (target) => transport.send(request, (answer) => answer.copyTo(target));
}

/** ms of CPU a round, by way. */
async function measureWays(
  ways: readonly Way[],
  expected: Buffer,
  { answersPerRound, rounds, output }: { answersPerRound: number; rounds: number; output: Output },
): Promise<number[][]> {
  const ring = new Uint8Array(new SharedArrayBuffer(Math.max(TARGET_BYTES, expected.length)));
  const places = Math.floor(ring.length / expected.length);
  const samples: number[][] = ways.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    output.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [at, { name, receive }] of ways.entries()) {
      ring.fill(0);
      const before = processCpuMs();
      for (let i = 0; i < answersPerRound; i++) {
        const place = (i % places) * expected.length;
        await receive(ring.subarray(place, place + expected.length));
      }
      if (round > 0) samples[at]!.push(processCpuMs() - before);
      const last = ((answersPerRound - 1) % places) * expected.length;
      const came = Buffer.from(ring.subarray(last, last + expected.length));
      assert.equal(crc32c(came), crc32c(expected), `${name}: other bytes than were sent`);
    }
  }
  return samples;
}

function report({ ways, machine, answerMiB, startedAt }: TransportResult, output: Output): void {
  const rows = ways.map(({ name, cpuMsPerMiB, ratioToCopy }) => [
    name,
    `${cpuMsPerMiB.toFixed(3)} ms`,
    ratioToCopy.toFixed(2),
  ]);
  output.print(
    `answers of ${answerMiB} MiB; ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}\n`,
  );
  output.print(formatTable(['way', 'CPU a MiB', '÷ copy'], rows));
}
