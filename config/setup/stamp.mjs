/** Stamps: small files that say from which inputs an output was made, so that nothing is made twice. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Hash of strings and buffers in order. */
export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** All files below a folder whose name `wanted` accepts, sorted; [] when there is no such folder. */
export function filesBelow(folder, wanted) {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && wanted(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Hash over names and contents. */
export function hashOfFiles(paths) {
  return hashOf(...paths.flatMap((path) => [path, readFileSync(path)]));
}

export function stampIs(path, value) {
  try {
    return readFileSync(path, 'utf8') === value;
  } catch {
    return false;
  }
}

export function writeStamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}

export function removeStamp(path) {
  rmSync(path, { force: true });
}
