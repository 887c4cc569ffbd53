/** Other releases of Node.js, for the tests: from the npm packages that carry them, with their headers, in the cache. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { runOrFail } from './child-processes.mjs';
import { withLock } from './lock.mjs';

/** By their major version; of 20 the oldest that package.json takes. */
export const NODE_VERSIONS = { 20: '20.19.0', 22: '22.23.5', 24: '24.22.3' };

const CARRIER = `node-${process.platform}-${process.arch}`;

/** The folder with bin/node and include/node, there or not. */
export function nodeFolder(version) {
  return cachePath(`${CARRIER}-${version}`);
}

/**
 * @param {string} version such as 22.23.5
 * @param {(note: string) => void} note
 */
export async function prepareNode(version, note) {
  const target = nodeFolder(version);
  if (existsSync(target)) return 'up to date';
  return withLock(
    cachePath('locks', basename(target)),
    async () => {
      if (existsSync(target)) return 'up to date';
      await download(version, target, note);
      return 'downloaded';
    },
    (owner) => note(`waiting for ${owner}, which downloads it`),
  );
}

async function download(version, target, note) {
  note(`Node.js ${version} from the npm package ${CARRIER}`);
  const project = mkdtempSync(join(tmpdir(), 'headrace-node-'));
  try {
    const args = [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      `${CARRIER}@${version}`,
    ];
    await runOrFail('npm', args, `${CARRIER} ${version} could not be had from npm`, {
      cwd: project,
      log: logPath('node-binaries'),
    });
    const carried = join(project, 'node_modules', CARRIER);
    await publishFolder(target, (folder) => cpSync(carried, folder, { recursive: true }));
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
