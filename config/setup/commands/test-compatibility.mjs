import { constants, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { checkout, inCheckout } from '../checkout.mjs';
import { runForeground } from '../child-processes.mjs';
import { BROKER_VERSIONS, NEWEST_KAFKA, prepareBrokers, TOO_OLD_KAFKA } from '../kafka-jars.mjs';
import { NODE_VERSIONS, nodeFolder, prepareNode } from '../node-binaries.mjs';
import { StepError } from '../step-error.mjs';
import { BUILD, runSteps } from '../steps.mjs';
import { test } from './test.mjs';

const FILE = 'test/fault/compatibility.test.ts';
/** What of an engine stands or falls with Node.js itself: threads, shared memory, WebAssembly, native packages, HTTP. */
const ON_EACH_NODE = [
  FILE,
  ...[
    'pool',
    'worker',
    'ring-threads',
    'kernel-bytes',
    'codecs-librdkafka',
    'http-listener',
    'store-local',
  ].map((name) => `test/unit/${name}.test.ts`),
];
/** Made by us, or not for a copy: there is one biome.json below a folder. */
const LEFT_OUT = ['.git', '.headrace', 'dist', 'node_modules', 'biome.json'];

/**
 * `test:fault -- compatibility [brokers|nodes]`: all releases of brokers with this Node.js, then the newest broker with each Node.js.
 * HEADRACE_BROKERS and HEADRACE_NODES (such as 22,24) name some of them.
 */
export async function testCompatibility([part, ...args]) {
  if (part !== undefined && part !== 'brokers' && part !== 'nodes')
    throw new StepError(`compatibility knows brokers and nodes, not ${part}`);
  const codes = [];
  if (part !== 'nodes') codes.push(await withBrokers(args));
  if (part !== 'brokers') {
    const nodes = process.env.HEADRACE_NODES?.split(',') ?? Object.keys(NODE_VERSIONS);
    for (const node of nodes) codes.push(await onNode(node, args));
  }
  return codes.find((code) => code !== 0) ?? 0;
}

async function withBrokers(args) {
  const versions = process.env.HEADRACE_BROKERS?.split(',') ?? [TOO_OLD_KAFKA, ...BROKER_VERSIONS];
  process.env.HEADRACE_BROKERS = versions.join(',');
  await runSteps([['brokers of other releases', prepareBrokers(versions)]]);
  return test([FILE, ...args]);
}

/** In a copy of the checkout, whose set-up then builds the native part for that Node.js, as somebody's would who has that one. */
async function onNode(major, args) {
  const version = NODE_VERSIONS[major];
  if (version === undefined)
    throw new StepError(`HEADRACE_NODES takes ${Object.keys(NODE_VERSIONS)}, not ${major}`);
  await runSteps(BUILD);
  const copy = inCheckout('.headrace', `node-${major}`);
  await runSteps([
    [`Node.js ${version}`, (note) => prepareNode(version, note)],
    ['a copy of the checkout', () => copyCheckout(copy)],
  ]);
  process.stderr.write(`\nwith Node.js ${version}, in ${copy}\n`);
  const bin = join(nodeFolder(version), 'bin');
  return runForeground(
    join(bin, 'node'),
    [join('config', 'setup', 'cli.mjs'), 'test', ...ON_EACH_NODE, ...args],
    {
      cwd: copy,
      env: { PATH: `${bin}${delimiter}${process.env.PATH}`, HEADRACE_BROKERS: NEWEST_KAFKA },
    },
  );
}

/** The sources as they are now; packages are copied once, and what is built for that Node.js stays. */
function copyCheckout(copy) {
  mkdirSync(copy, { recursive: true });
  for (const name of readdirSync(copy)) {
    if (!LEFT_OUT.includes(name)) rmSync(join(copy, name), { recursive: true });
  }
  const options = { recursive: true, mode: constants.COPYFILE_FICLONE, verbatimSymlinks: true };
  for (const name of readdirSync(checkout)) {
    if (!LEFT_OUT.includes(name)) cpSync(inCheckout(name), join(copy, name), options);
  }
  const packages = join(copy, 'node_modules');
  if (existsSync(packages)) return 'up to date';
  cpSync(inCheckout('node_modules'), packages, options);
  return 'copied';
}
