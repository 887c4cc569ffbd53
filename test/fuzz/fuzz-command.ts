import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { caseFromJson, caseToJson } from './case.js';
import { makeCase } from './case-maker.js';
import { ENGINE_MAKERS } from './engine-makers.js';
import type { FuzzReport, FuzzTask } from './fuzz-messages.js';
import { type Failure, kindOf, noTotals, shrinkSeed, type Totals } from './fuzz-session.js';
import { playCase } from './play-case.js';

/**
 * What `npm run fuzz` calls: two engines are given the same random logs until the time is over, in several processes, or
 * one case is replayed. Ends with 1 when anything differed.
 */

const HELP = `Usage: npm run fuzz -- [options]

  --minutes N     how long; default 1
  --seed S        only the case of this seed, shrunk if it fails
  --case FILE     only the case in a file, as failures are written
  --first S       the first seed; default: from the clock
  --processes N   default 2
  --left NAME     the engine under test, default kernel
  --right NAME    the one that is right, default reference
  --shrink S      seconds for making a failure smaller; default 20
  --out FOLDER    where failures are written; default .headrace/fuzz-failures
`;
/** A case takes seconds at most. */
const STUCK_MS = 60_000;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    case: { type: 'string' },
    first: { type: 'string' },
    processes: { type: 'string', default: '2' },
    left: { type: 'string', default: 'kernel' },
    right: { type: 'string', default: 'reference' },
    shrink: { type: 'string', default: '20' },
    out: { type: 'string', default: join('.headrace', 'fuzz-failures') },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(text);

if (options.help) process.stdout.write(HELP);
else if (!ENGINE_MAKERS.has(options.left) || !ENGINE_MAKERS.has(options.right)) {
  say(`engines are ${[...ENGINE_MAKERS.keys()].map((name) => JSON.stringify(name)).join(', ')}\n`);
  process.exitCode = 64;
} else if (options.seed !== undefined || options.case !== undefined) replay();
else await fuzz();

/** One case, in this process. */
function replay(): void {
  const left = ENGINE_MAKERS.get(options.left)!;
  const right = ENGINE_MAKERS.get(options.right)!;
  const seed = Number(options.seed);
  const fuzzCase =
    options.case === undefined ? makeCase(seed) : caseFromJson(readFileSync(options.case, 'utf8'));
  const { difference, ...counts } = playCase(fuzzCase, left, right);
  say(`${JSON.stringify(counts)}\n`);
  if (difference === null) {
    process.stdout.write('no difference\n');
    return;
  }
  process.exitCode = 1;
  const failure = { seed: fuzzCase.seed, difference, kind: kindOf(difference) };
  if (options.case !== undefined) {
    process.stdout.write(`${difference}\n`);
    return;
  }
  process.stdout.write(`${difference}\n`);
  const small = shrinkSeed(failure, left, right, Number(options.shrink) * 1_000);
  show({ ...failure, difference: playCase(small, left, right).difference ?? difference }, caseToJson(small));
}

async function fuzz(): Promise<void> {
  const processes = Number(options.processes);
  const first =
    options.first === undefined ? Math.floor(performance.timeOrigin) % 2 ** 31 : Number(options.first);
  const runMs = Number(options.minutes) * 60_000;
  say(`seeds from ${first}, ${options.left} against ${options.right}\n`);
  const all = Array.from({ length: processes }, noTotals);
  const failures: Failure[] = [];
  const kinds = new Set<string>();
  const startedMs = performance.now();
  const [lead, trail] = process.stderr.isTTY ? ['\r', ''] : ['', '\n'];
  const line = setInterval(
    () => say(`${lead}${progress(all, failures.length, performance.now() - startedMs)}${trail}`),
    process.stderr.isTTY ? 1_000 : 10_000,
  );
  await Promise.all(
    all.map((_, index) => {
      const task: FuzzTask = {
        left: options.left,
        right: options.right,
        firstSeed: first + index,
        seedStep: processes,
        runMs,
        shrinkMs: Number(options.shrink) * 1_000,
      };
      return runProcess(task, (report) => {
        if (report.type === 'totals') all[index] = report.totals;
        if (report.type === 'failure') failures.push(report.failure);
        if (report.type !== 'shrunk' || kinds.has(report.failure.kind)) return;
        kinds.add(report.failure.kind);
        show(report.failure, report.json);
      });
    }),
  );
  clearInterval(line);
  say(`${lead}${progress(all, failures.length, performance.now() - startedMs)}\n`);
  for (const kind of new Set(failures.map((failure) => failure.kind))) {
    const seeds = failures.filter((failure) => failure.kind === kind).map(({ seed }) => seed);
    process.stdout.write(`${seeds.length} × ${kind}\n    seeds ${seeds.slice(0, 8).join(' ')}\n`);
  }
  process.stdout.write(`${failures.length === 0 ? 'no difference' : `${failures.length} differences`}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Until it ends. A process that dies or is stuck in a case is a failure of that case, and another one goes on behind it. */
function runProcess(task: FuzzTask, onReport: (report: FuzzReport) => void): Promise<void> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./fuzz-process.js', import.meta.url)), {
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    let seed = task.firstSeed;
    let isStuck = false;
    const kill = () => {
      isStuck = true;
      child.kill('SIGKILL');
    };
    let watch = setTimeout(kill, STUCK_MS + task.shrinkMs);
    child.on('message', (message: FuzzReport) => {
      clearTimeout(watch);
      watch = setTimeout(kill, STUCK_MS + task.shrinkMs);
      if (message.type === 'case') seed = message.seed;
      onReport(message);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(watch);
      if (code === 0) return resolve();
      const kind = isStuck ? 'does not end' : `ends the process: ${code ?? signal}`;
      onReport({ type: 'failure', failure: { seed, kind, difference: kind } });
      const runMs = task.runMs - (performance.now() - startedMs);
      return resolve(
        runMs <= 0 ? undefined : runProcess({ ...task, firstSeed: seed + task.seedStep, runMs }, onReport),
      );
    });
    child.send(task);
  });
}

function show({ seed, difference, kind }: Failure, json: string): void {
  mkdirSync(options.out, { recursive: true });
  const path = join(options.out, `seed-${seed}.json`);
  writeFileSync(path, json);
  process.stdout.write(`\nseed ${seed}: ${kind}\n${difference}\n`);
  if (json.length < 6_000) process.stdout.write(`${json}\n`);
  process.stdout.write(`→ ${path}: put it into test/fixtures/fuzz/ when it is mended\n\n`);
}

function progress(all: readonly Totals[], failures: number, timeMs: number): string {
  const sum = (name: keyof Totals) => all.reduce((total, each) => total + each[name], 0);
  const seconds = timeMs / 1_000;
  const share = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
  return [
    `${seconds.toFixed(0)} s`,
    `${sum('cases')} cases (${(sum('cases') / seconds).toFixed(1)}/s)`,
    `${sum('events')} events`,
    `${sum('rows')} rows`,
    `${sum('deadLetters')} dead letters`,
    `undecided ${share(sum('undecided'), sum('events'))} (benign ${share(sum('benignUndecided'), sum('benignEvents'))})`,
    `${sum('full')} × full`,
    `${failures} failures `,
  ].join(' · ');
}
