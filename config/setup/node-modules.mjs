/**
 * `node_modules` as the lockfile says. No package's own script is run: the native parts come from `kafka-native.mjs`,
 * and a package that we don't know gets no chance to run anything.
 */
import { readFileSync } from 'node:fs';
import { logPath } from './cache-folder.mjs';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { runOrFail } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { hashOf, removeStamp, stampIs, writeStamp } from './stamp.mjs';

const stamp = inCheckout('node_modules', '.headrace-lockfile');

/** @param {(note: string) => void} note */
export function installNodeModules(note) {
  return withLock(
    inCheckout('.headrace', 'packages.lock'),
    () => install(note),
    (owner) => note(`waiting for ${owner}, which installs here`),
  );
}

async function install(note) {
  const lockfile = readFileSync(inCheckout('package-lock.json'));
  const key = hashOf(lockfile, process.platform, process.arch);
  if (stampIs(stamp, key)) return 'up to date';
  if (isInstalled(JSON.parse(lockfile.toString()))) {
    writeStamp(stamp, key);
    return 'already installed';
  }
  removeStamp(stamp);
  note('npm ci');
  // with NODE_ENV=production npm would leave the compiler out
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  await runOrFail('npm', args, 'npm ci failed', { cwd: checkout, log: logPath('npm-ci') });
  writeStamp(stamp, key);
  return 'installed';
}

/**
 * Whether npm's own record of what lies in node_modules agrees with the lockfile, so that somebody's `npm install` is
 * not thrown away. Optional packages may be absent: most are for other platforms, and those we need are loaded later.
 */
function isInstalled(lockfile) {
  let installed;
  try {
    installed = readJson(inCheckout('node_modules', '.package-lock.json')).packages;
  } catch {
    return false;
  }
  const wanted = Object.entries(lockfile.packages).filter(([path]) => path !== '');
  const agrees = wanted.every(([path, { version, integrity, optional }]) => {
    const found = installed[path];
    return found === undefined ? optional : found.version === version && found.integrity === integrity;
  });
  return agrees && Object.keys(installed).every((path) => lockfile.packages[path] !== undefined);
}
