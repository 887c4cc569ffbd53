/**
 * AssemblyScript → WebAssembly in dist: the kernel, and the load that `headrace produce` makes.
 *
 * The kernel's memory is made by the engine (shared, all of it at once) and only imported here; a load has one of its own.
 * Skipped while nothing they were made from has changed.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { logPath } from './cache-folder.mjs';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { run } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { filesBelow, hashOf, hashOfFiles, removeStamp, stampIs, writeStamp } from './stamp.mjs';
import { StepError } from './step-error.mjs';

const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--use', 'abort='];
const SHARED = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];
/** `sources`: what it is made from; `entry` lies there, and `out` in dist. */
const MODULES = [
  {
    sources: 'src/kernel',
    entry: 'src/kernel/assembly/index.ts',
    out: 'kernel/kernel.wasm',
    options: [...OPTIONS, ...SHARED, '--enable', 'threads'],
  },
  {
    sources: 'src/generator/load',
    entry: 'src/generator/load/assembly/index.ts',
    out: 'generator/load/load.wasm',
    options: OPTIONS,
  },
];

/** @param {(note: string) => void} note */
export function buildKernel(note) {
  return withLock(
    inCheckout('.headrace', 'kernel.lock'),
    async () => {
      let built = 0;
      for (const module of MODULES) if (await buildModule(module, note)) built++;
      return built === 0 ? 'up to date' : 'built';
    },
    (owner) => note(`waiting for ${owner}, which builds here`),
  );
}

async function buildModule({ sources, entry, out, options }, note) {
  const files = filesBelow(inCheckout(...sources.split('/')), (name) => name.endsWith('.ts'));
  const version = readJson(inCheckout('node_modules', 'assemblyscript', 'package.json')).version;
  const key = hashOf(version, ...options, hashOfFiles(files));
  const path = inCheckout('dist', ...out.split('/'));
  const stamp = inCheckout('dist', `.built-${sources.split('/').at(-1)}`);
  if (stampIs(stamp, key) && existsSync(path)) return false;
  removeStamp(stamp);
  mkdirSync(dirname(path), { recursive: true });
  note(`asc ${dirname(entry)}`);
  const log = logPath('asc');
  const compiler = inCheckout('node_modules', 'assemblyscript', 'bin', 'asc.js');
  // beside it first: whoever reads it meanwhile finds the old one whole
  const answer = await run(process.execPath, [compiler, entry, '-o', `dist/${out}.new`, ...options], {
    cwd: checkout,
    log,
  });
  if (answer.code !== 0) throw new StepError(`${dirname(entry)} does not compile`, { log });
  renameSync(`${path}.new`, path);
  writeStamp(stamp, key);
  return true;
}
