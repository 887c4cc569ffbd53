/** Debian packages: installed when we may, named when we may not. */
import { logPath } from './cache-folder.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { StepError } from './step-error.mjs';

/** Which of these packages are not installed; undefined where there is no dpkg. */
export async function missingPackages(packages) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg-query's
  const answer = await run('dpkg-query', ['-W', '-f=${db:Status-Status} ${Package}\\n', ...packages]);
  if (answer.missing) return undefined;
  const installed = new Set(
    answer.stdout
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return packages.filter((name) => !installed.has(name));
}

/**
 * Sees to it that packages are there; on systems without apt, or without root, a StepError says what to install.
 * @param {string[]} packages
 * @param {string} purpose what they are for, as in "to build X"
 * @param {(note: string) => void} note
 */
export async function ensurePackages(packages, purpose, note) {
  const missing = await missingPackages(packages);
  if (missing?.length === 0) return;
  const names = (missing ?? packages).join(' ');
  if (missing === undefined || (await run('apt-get', ['--version'])).missing) {
    throw new StepError(`packages are needed ${purpose}`, {
      remedy: `install what Debian calls ${names}, then start again`,
    });
  }
  if (process.getuid?.() !== 0) {
    throw new StepError(`packages are missing ${purpose}, and only root can install them`, {
      remedy: `sudo apt-get update && sudo apt-get install -y ${names}`,
    });
  }
  note(`apt-get install ${names}`);
  const log = logPath('apt');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // a lock held by another apt (unattended upgrades, a second clone) is waited for
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  // mirrors that can't be reached make `update` fail although the package is in a list we have
  await run('apt-get', [...wait, 'update'], { log, env });
  await runOrFail(
    'apt-get',
    [...wait, 'install', '-y', '--no-install-recommends', ...missing],
    `apt-get could not install ${names}`,
    { log, env },
  );
}
