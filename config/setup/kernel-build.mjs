/**
 * The kernel: AssemblyScript in src/kernel/assembly → dist/kernel/kernel.wasm.
 *
 * Its memory is made by the engine (shared, all of it at once) and only imported here. Skipped while nothing it was made
 * from has changed.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { logPath } from './cache-folder.mjs';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { run } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { filesBelow, hashOf, hashOfFiles, removeStamp, stampIs, writeStamp } from './stamp.mjs';
import { StepError } from './step-error.mjs';

const OPTIONS = [
  '-O3',
  '--noAssert',
  ...['--runtime', 'stub'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'simd', '--enable', 'threads', '--use', 'abort='],
];
const OUT = ['dist', 'kernel', 'kernel.wasm'];

/** @param {(note: string) => void} note */
export function buildKernel(note) {
  return withLock(
    inCheckout('.headrace', 'kernel.lock'),
    async () => {
      const sources = filesBelow(inCheckout('src', 'kernel'), (name) => name.endsWith('.ts'));
      const version = readJson(inCheckout('node_modules', 'assemblyscript', 'package.json')).version;
      const key = hashOf(version, ...OPTIONS, hashOfFiles(sources));
      const stamp = inCheckout('dist', '.built-kernel');
      const out = inCheckout(...OUT);
      if (stampIs(stamp, key) && existsSync(out)) return 'up to date';
      removeStamp(stamp);
      mkdirSync(inCheckout('dist', 'kernel'), { recursive: true });
      note('asc src/kernel/assembly');
      const log = logPath('asc');
      const compiler = inCheckout('node_modules', 'assemblyscript', 'bin', 'asc.js');
      // beside it first: whoever reads kernel.wasm meanwhile finds the old one whole
      const args = [compiler, 'src/kernel/assembly/index.ts', '-o', `${OUT.join('/')}.new`, ...OPTIONS];
      const answer = await run(process.execPath, args, { cwd: checkout, log });
      if (answer.code !== 0) throw new StepError('src/kernel/assembly does not compile', { log });
      renameSync(`${out}.new`, out);
      writeStamp(stamp, key);
      return 'built';
    },
    (owner) => note(`waiting for ${owner}, which builds here`),
  );
}
