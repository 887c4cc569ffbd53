/**
 * Programs of Debian's that tests call as people would: what the README's commands name, what checks the unit (no systemd has to run),
 * and what watches a process's system calls.
 */
import { ensurePackages } from './apt.mjs';
import { run } from './child-processes.mjs';

/** Which package has which program, and how it says that it is there. */
const TOOLS = [
  ['rsync', 'rsync', ['--version']],
  ['curl', 'curl', ['--version']],
  ['strace', 'strace', ['--version']],
  ['ip', 'iproute2', ['-Version']],
  ['unshare', 'util-linux', ['--version']],
  ['systemd-analyze', 'systemd', ['--version']],
  ['systemd-notify', 'systemd', ['--version']],
  ['python3', 'python3', ['--version']],
];

/** @param {(note: string) => void} note */
export async function prepareSystemTools(note) {
  const packages = new Set();
  for (const [program, name, args] of TOOLS) {
    if ((await run(program, args, { timeoutMs: 60_000 })).code !== 0) packages.add(name);
  }
  if (packages.size === 0) return 'up to date';
  await ensurePackages([...packages], 'by tests that call programs of the system', note);
  return 'installed';
}
