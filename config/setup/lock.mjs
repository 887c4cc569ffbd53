/**
 * One process at a time, by a file that names its owner. A dead owner's lock is taken over.
 *
 * Taking over is itself a race: the dead owner's file is linked to a name made of its nonce, which only one process can
 * do, and only who finds the dead nonce behind that link removes the lock.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
const CLAIM_AGE_MS_MAX = 30_000;
/** @type {Set<string>} */
const held = new Set();

/** Gives up all locks of this process; for its last moment. */
export function releaseLocks() {
  for (const path of held) rmSync(path, { force: true });
  held.clear();
}

/**
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(owner: string) => void} [waiting] called once when another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, waiting = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryTake(path)) {
    const owner = readOwner(path);
    if (owner !== undefined && isDead(owner)) {
      takeOver(path, owner.nonce);
    } else if (!told && owner !== undefined) {
      waiting(`process ${owner.pid} on ${owner.host}`);
      told = true;
    }
    await sleep(POLL_MS);
  }
  held.add(path);
  try {
    return await work();
  } finally {
    held.delete(path);
    rmSync(path, { force: true });
  }
}

/** Written beside and linked, so that nobody reads half an owner. */
function tryTake(path) {
  const nonce = randomUUID();
  const draft = `${path}.${nonce}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, host: hostname(), nonce }));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    unlinkSync(draft);
  }
}

function readOwner(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // given up just now
  }
}

function isDead(owner) {
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
  return isZombie(owner.pid);
}

/** In a container without an init the dead are never buried, and still answer to their number. */
function isZombie(pid) {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function takeOver(path, nonce) {
  const claim = `${path}.dead-${nonce}`;
  try {
    linkSync(path, claim);
  } catch {
    dropAbandonedClaim(claim);
    return; // somebody else is at it, or it is gone
  }
  try {
    if (readOwner(claim)?.nonce === nonce) rmSync(path, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

/** Who dies between claiming and removing must not block the lock for ever. */
function dropAbandonedClaim(claim) {
  const claimedMs = statSync(claim, { throwIfNoEntry: false })?.ctimeMs;
  if (claimedMs !== undefined && Date.now() - claimedMs > CLAIM_AGE_MS_MAX) rmSync(claim, { force: true });
}
