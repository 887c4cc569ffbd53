/** delta-rs, for the tests: a Delta reader that nobody here wrote, in a Python environment of its own in the cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { StepError } from './step-error.mjs';

const DELTALAKE = '1.6.6';
const PYARROW = '26.0.1';
const PYTHON_VERSION_MIN = [3, 10];

function environment() {
  return cachePath(`delta-rs-${DELTALAKE}-pyarrow-${PYARROW}-${process.platform}-${process.arch}`);
}

/** The Python that has delta-rs, there or not. */
export function deltaRsPython() {
  return join(environment(), 'bin', 'python');
}

/** @param {(note: string) => void} note */
export async function prepareDeltaRs(note) {
  // a link to a Python that is gone does not exist either
  if (existsSync(deltaRsPython())) return 'up to date';
  return withLock(
    cachePath('locks', 'delta-rs'),
    async () => {
      if (existsSync(deltaRsPython())) return 'up to date';
      await ensurePython(note);
      note(`deltalake ${DELTALAKE} from PyPI`);
      await install();
      return 'installed';
    },
    (owner) => note(`waiting for ${owner}, which installs it`),
  );
}

/** Scripts in an environment name its folder and break when it is moved; we only ever call its `python`. */
async function install() {
  const log = logPath('delta-rs');
  await publishFolder(environment(), async (folder) => {
    const python = join(folder, 'bin', 'python');
    await runOrFail('python3', ['-m', 'venv', folder], 'no Python environment could be made', { log });
    await runOrFail(
      python,
      [
        '-m',
        'pip',
        'install',
        '--disable-pip-version-check',
        `deltalake[pyarrow]==${DELTALAKE}`,
        `pyarrow==${PYARROW}`,
      ],
      'delta-rs could not be had from PyPI',
      { log },
    );
    await runOrFail(python, ['-c', 'import deltalake, pyarrow.dataset'], 'delta-rs does not load', { log });
  });
}

async function ensurePython(note) {
  const purpose = 'to read tables with delta-rs in the tests';
  if (!(await pythonWorks())) await ensurePackages(['python3', 'python3-venv'], purpose, note);
  if (await pythonWorks()) return;
  throw new StepError(
    `Python ${PYTHON_VERSION_MIN.join('.')} or newer with its venv module is needed ${purpose}`,
    {
      remedy: 'put such a python3 into PATH',
    },
  );
}

/** Debian's python3 has venv but not the ensurepip it needs. */
async function pythonWorks() {
  const test = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${PYTHON_VERSION_MIN.join(', ')}))`;
  return (await run('python3', ['-c', test], { timeoutMs: 60_000 })).code === 0;
}
