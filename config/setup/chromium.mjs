/** Chromium, for the tests: a browser that nobody here wrote looks at the page. Debian's own, driven by playwright-core. */
import { ensurePackages } from './apt.mjs';
import { run } from './child-processes.mjs';
import { StepError } from './step-error.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const PURPOSE = 'to look at the page in the tests';

/** @param {(note: string) => void} note */
export async function prepareChromium(note) {
  if ((await chromium()) !== null) return 'up to date';
  await ensurePackages(['chromium'], PURPOSE, note);
  if ((await chromium()) !== null) return 'installed';
  throw new StepError(`no Chromium starts, which is needed ${PURPOSE}`, {
    remedy: 'put chromium into PATH',
  });
}

/** The name of the one that starts, or null. */
export async function chromium() {
  for (const name of NAMES) {
    if ((await run(name, ['--version'], { timeoutMs: 60_000 })).code === 0) return name;
  }
  return null;
}
