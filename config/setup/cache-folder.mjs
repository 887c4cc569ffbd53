/**
 * The cache outside the checkout: what costs minutes or a download once per machine, not once per clone.
 *
 * Safe to share between clones that run at the same time: an entry appears by a rename, complete or not at all. It may
 * be deleted at any time.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** $HEADRACE_CACHE, else $XDG_CACHE_HOME/headrace, else ~/.cache/headrace. */
export function cacheFolder() {
  const { HEADRACE_CACHE, XDG_CACHE_HOME } = process.env;
  if (HEADRACE_CACHE) return resolve(HEADRACE_CACHE);
  return join(XDG_CACHE_HOME ? resolve(XDG_CACHE_HOME) : join(homedir(), '.cache'), 'headrace');
}

/** The place of an entry. */
export function cachePath(...parts) {
  return join(cacheFolder(), ...parts);
}

/** A log file of a set-up step; one a process, so that two clones don't write into each other's. */
export function logPath(name) {
  return cachePath('logs', `${name}-${process.pid}.log`);
}

/** Removes the logs of a set-up that went well. */
export function removeOwnLogs() {
  const folder = cachePath('logs');
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.endsWith(`-${process.pid}.log`)) rmSync(join(folder, name), { force: true });
  }
}

/**
 * Fills a folder beside its final place, then moves it there; an entry that exists is replaced.
 * @param {string} target
 * @param {(folder: string) => Promise<void> | void} fill
 */
export async function publishFolder(target, fill) {
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    await fill(folder);
    const old = `${folder}-old`;
    if (existsSync(target)) renameSync(target, old);
    renameSync(folder, target);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
