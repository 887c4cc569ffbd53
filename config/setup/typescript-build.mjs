/**
 * TypeScript → dist/, one project after the other: the workers' types come from the declarations of src.
 *
 * Skipped while nothing it was made from has changed. What a deleted source left in dist is removed, so that no import
 * finds a module that no longer exists.
 */
import { chmodSync, copyFileSync, existsSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { logPath } from './cache-folder.mjs';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { run } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { filesBelow, hashOf, hashOfFiles, removeStamp, stampIs, writeStamp } from './stamp.mjs';
import { StepError } from './step-error.mjs';

/** `out` is the folder inside dist; those of other projects that lie below it are not this one's. */
const PROJECTS = [
  { sources: 'src', out: '', others: ['workers', 'native-bench', 'page/client'] },
  // what browsers run: types of their own
  { sources: 'src/page/client', out: 'page/client', others: [] },
  { sources: 'workers', out: 'workers', others: [] },
  { sources: 'native-bench', out: 'native-bench', others: [] },
];
const OUTPUT = /(\.js|\.js\.map|\.d\.ts)$/;
const ENTRY = inCheckout('dist', 'engine.js');

/** @param {(note: string) => void} note */
export function buildTypeScript(note) {
  return withLock(
    inCheckout('.headrace', 'build.lock'),
    async () => {
      let before = hashOf(
        readJson(inCheckout('node_modules', 'typescript', 'package.json')).version,
        hashOfFiles([inCheckout('tsconfig.json'), inCheckout('package.json')]),
      );
      let built = 0;
      for (const project of PROJECTS) {
        const sources = filesBelow(inCheckout(project.sources), (name) => name.endsWith('.ts'));
        before = hashOf(before, hashOfFiles([inCheckout(project.sources, 'tsconfig.json'), ...sources]));
        if (await buildProject(project, sources, before, note)) built++;
      }
      copyPage();
      if (existsSync(ENTRY)) chmodSync(ENTRY, 0o755);
      return built === 0 ? 'up to date' : 'built';
    },
    (owner) => note(`waiting for ${owner}, which builds here`),
  );
}

/** What of the page is no program goes beside its scripts. */
function copyPage() {
  for (const path of filesBelow(inCheckout('src', 'page'), (name) => /\.(html|css|svg)$/.test(name))) {
    copyFileSync(path, inCheckout('dist', 'page', basename(path)));
  }
}

async function buildProject(project, sources, key, note) {
  const out = inCheckout('dist', project.out);
  const stamp = inCheckout('dist', `.built-${project.sources.replaceAll('/', '-')}`);
  if (sources.length === 0) {
    if (project.out !== '') rmSync(out, { recursive: true, force: true });
    return false;
  }
  if (stampIs(stamp, key) && existsSync(out)) return false;
  removeStamp(stamp);
  removeStale(project, sources, out);
  note(`tsc -p ${project.sources}`);
  const log = logPath('tsc');
  const answer = await run(
    process.execPath,
    [inCheckout('node_modules', 'typescript', 'bin', 'tsc'), '-p', project.sources],
    { cwd: checkout, log },
  );
  if (answer.code !== 0) throw new StepError(`${project.sources} does not compile`, { log });
  writeStamp(stamp, key);
  return true;
}

function removeStale(project, sources, out) {
  const root = inCheckout(project.sources);
  const alive = new Set(sources.map((path) => relative(root, path).replace(/\.ts$/, '')));
  for (const path of filesBelow(out, (name) => OUTPUT.test(name))) {
    const name = relative(out, path);
    if (project.others.some((other) => name.startsWith(`${other}/`))) continue;
    if (!alive.has(name.replace(OUTPUT, ''))) rmSync(join(out, name));
  }
}
