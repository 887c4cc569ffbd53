/** systemd-analyze and systemd-notify, for the tests of the unit; no systemd has to run. */
import { ensurePackages } from './apt.mjs';
import { run } from './child-processes.mjs';

/** @param {(note: string) => void} note */
export async function prepareSystemdTools(note) {
  if (await toolsStart()) return 'up to date';
  await ensurePackages(['systemd', 'python3'], 'to check the systemd unit in the tests', note);
  return 'installed';
}

async function toolsStart() {
  for (const tool of ['systemd-analyze', 'systemd-notify', 'python3']) {
    if ((await run(tool, ['--version'], { timeoutMs: 60_000 })).code !== 0) return false;
  }
  return true;
}
