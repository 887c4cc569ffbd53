/** Node's C++ headers, which lie beside node in its own archives and in most packages: then no build has to fetch them. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder that node-gyp takes as `nodedir`: the one whose include/node is of exactly this version; undefined where
 * there is none, and node-gyp then fetches the headers from nodejs.org, which not every network may reach.
 * @param {string} executable path of node
 * @param {string} version as `process.version` has it, such as v24.1.0
 */
export function headersFolder(executable, version) {
  const folder = dirname(dirname(realpathSync(executable)));
  return headersVersion(join(folder, 'include', 'node', 'node_version.h')) === version ? folder : undefined;
}

function headersVersion(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const [major, minor, patch] = ['MAJOR', 'MINOR', 'PATCH'].map(
    (name) => new RegExp(`^#define NODE_${name}_VERSION (\\d+)$`, 'm').exec(text)?.[1],
  );
  return `v${major}.${minor}.${patch}`;
}
