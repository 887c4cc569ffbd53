/** Programs of Debian's that tests call as people would: what the README's commands name, and what watches a process's system calls. */
import { ensurePackages } from './apt.mjs';
import { run } from './child-processes.mjs';

/** Which package has which program, and how it says that it is there. */
const TOOLS = [
  ['rsync', 'rsync', ['--version']],
  ['curl', 'curl', ['--version']],
  ['strace', 'strace', ['--version']],
  ['ip', 'iproute2', ['-Version']],
  ['unshare', 'util-linux', ['--version']],
];

/** @param {(note: string) => void} note */
export async function prepareSystemTools(note) {
  const packages = [];
  for (const [program, name, args] of TOOLS) {
    if ((await run(program, args, { timeoutMs: 60_000 })).code !== 0) packages.push(name);
  }
  if (packages.length === 0) return 'up to date';
  await ensurePackages(packages, 'by tests that call programs of the system', note);
  return 'installed';
}
