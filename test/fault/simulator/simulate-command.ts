import { parseArgs } from 'node:util';
import { NOT_SIMULATED, RULES } from './rules.js';
import { type SimOutcome, simulate } from './simulate.js';

/** What `npm run simulate` calls: seeds one after the other, or one of them with all that happens. Ends with 1 when one failed. */

const HELP = `Usage: npm run simulate -- [options]

  --seeds N    how many; default 2000
  --first S    the first seed; default 1
  --seed S     only this one, with its schedule
  --off RULE   with engines that do not keep to a rule; ends at the first seed that fails
  --rules      the rules that can be switched off, and those that are not simulated
`;
/** A failure is shown with this many lines of its schedule; --seed shows all. */
const TAIL_LINES = 40;
const PROGRESS_SEEDS = 100;

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    off: { type: 'string' },
    rules: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);
const off = options.off === undefined ? {} : { off: options.off };

if (options.help) process.stdout.write(HELP);
else if (options.rules) listRules();
else if (options.off !== undefined && !RULES.has(options.off)) {
  say(`rules are ${[...RULES.keys()].join(', ')}`);
  process.exitCode = 64;
} else if (options.seed !== undefined) await replay(Number(options.seed));
else await run(Number(options.first), Number(options.seeds));

function listRules(): void {
  for (const [name, { without }] of RULES) process.stdout.write(`${name.padEnd(12)} off: ${without}\n`);
  for (const [name, why] of Object.entries(NOT_SIMULATED)) {
    process.stdout.write(`${name.padEnd(12)} not simulated: ${why}\n`);
  }
}

async function replay(seed: number): Promise<void> {
  const outcome = await simulate({ seed, ...off, onLine: (line) => process.stdout.write(`${line}\n`) });
  say(lineOf(outcome));
  if (outcome.failure !== null) process.exitCode = 1;
}

async function run(first: number, count: number): Promise<void> {
  const begunMs = performance.now();
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await simulate({ seed, ...off });
    if (outcome.failure !== null) {
      failed++;
      await show(outcome);
      if (options.off !== undefined) break;
    }
    const done = seed - first + 1;
    if (done % PROGRESS_SEEDS === 0)
      say(`${done} of ${count} seeds, ${failed} failed, ${seconds(begunMs)} s`);
  }
  if (options.off !== undefined && failed === 0) say(`rule ${options.off} is off, and no seed fails`);
  process.stdout.write(`${JSON.stringify({ seeds: count, first, failed, seconds: seconds(begunMs) })}\n`);
  if (failed > 0) process.exitCode = 1;
}

async function show({ seed, failure }: SimOutcome): Promise<void> {
  const lines: string[] = [];
  await simulate({ seed, ...off, onLine: (line) => lines.push(line) });
  say(lines.slice(-TAIL_LINES).join('\n'));
  const again = options.off === undefined ? '' : ` --off ${options.off}`;
  say(`seed ${seed}: ${failure}\n  again: npm run simulate -- --seed ${seed}${again}\n`);
}

function lineOf({ seed, failure, versions, ms }: SimOutcome): string {
  const what = failure === null ? 'all rows are there once' : failure;
  return `seed ${seed}: ${what} (${versions} versions, ${Math.round(ms / 1_000)} s)`;
}

function seconds(begunMs: number): number {
  return Math.round((performance.now() - begunMs) / 100) / 10;
}
