import { checkout, inCheckout, readJson } from '../checkout.mjs';
import { run } from '../child-processes.mjs';
import {
  auditFindings,
  licenceFindings,
  licencesOf,
  lockfileFindings,
  signatureFindings,
} from '../supply-chain.mjs';

const NPM_MS_MAX = 300_000;

/**
 * `npm run check -- --supply-chain`: lockfile and licences, and advisories and signatures, for which it asks npm's registry. On demand
 * only, since what it says changes without us. An answer that does not come is a failure: it says nothing about packages.
 */
export async function checkSupplyChain() {
  const lock = readJson(inCheckout('package-lock.json'));
  const manifest = readJson(inCheckout('package.json'));
  const results = [
    ['lockfile', lockfileFindings(lock, manifest)],
    ['licences', licenceFindings(lock)],
    ['advisories', auditFindings(await npm(['audit', '--json']))],
    ['signatures', signatureFindings(await npm(['audit', 'signatures', '--json']))],
  ];
  for (const [licence, packages] of licencesOf(lock)) {
    process.stdout.write(
      `${String(packages.length).padStart(4)}  ${licence.padEnd(20)} ${packages.join(', ')}\n`,
    );
  }
  for (const [what, findings] of results) process.stdout.write(told(what, findings));
  return results.every(([, findings]) => findings?.length === 0) ? 0 : 1;
}

/** npm ends with 1 where it found something: what it wrote decides. */
async function npm(args) {
  const { stdout } = await run('npm', args, { cwd: checkout, timeoutMs: NPM_MS_MAX });
  return stdout;
}

function told(what, findings) {
  if (findings === null)
    return `failed  ${what}: npm gave no answer\n  → call it where registry.npmjs.org can be reached: npm audit\n`;
  if (findings.length === 0) return `ok      ${what}\n`;
  return `failed  ${what}\n${findings.map((finding) => `  ${finding}\n`).join('')}`;
}
