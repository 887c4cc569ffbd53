/** The Go compiler: what is in PATH, or its toolchain from the Go module proxy, in the cache. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { filesBelow } from './stamp.mjs';
import { StepError } from './step-error.mjs';

const VERSION = '1.26.8';
/** Of the module golang.org/toolchain, which is Go itself, by platform. */
const ZIP_SHA256 = {
  'linux-x64': '30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7',
  'linux-arm64': '02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99',
};
const GO_PLATFORM = { 'linux-x64': 'linux-amd64', 'linux-arm64': 'linux-arm64' };
/** From here on a Go fetches a newer one by itself. */
const FETCHES_NEWER = [1, 21];
const DOWNLOAD_MS_MAX = 600_000;

/**
 * @param {[number, number]} wanted the least version
 * @param {string} purpose what it is for, as in "to build X"
 * @param {(note: string) => void} note
 * @returns {Promise<{ command: string, env: NodeJS.ProcessEnv, isOwn: boolean }>} isOwn: it is ours alone, and nobody has caches for it
 */
export async function ensureGo(wanted, purpose, note) {
  for (const command of ['go', '/usr/local/go/bin/go']) {
    const found = await versionOf(command);
    if (found === undefined) continue;
    if (isAtLeast(found, wanted)) return { command, env: { GOTOOLCHAIN: 'local' }, isOwn: false };
    if (isAtLeast(found, FETCHES_NEWER))
      return { command, env: { GOTOOLCHAIN: `go${VERSION}` }, isOwn: false };
  }
  const platform = `${process.platform}-${process.arch}`;
  if (ZIP_SHA256[platform] === undefined) {
    throw new StepError(`Go ${wanted.join('.')} or newer is needed ${purpose}`, {
      remedy: 'put it into PATH, then start again',
    });
  }
  const folder = cachePath(`go-${VERSION}-${platform}`);
  const command = join(folder, 'bin', 'go');
  if (!existsSync(command)) {
    note(`Go ${VERSION} from the Go module proxy`);
    await download(platform, folder);
  }
  return { command, env: { GOTOOLCHAIN: 'local', GOROOT: folder }, isOwn: true };
}

/** Major and minor number, or undefined: there is no such program. */
async function versionOf(command) {
  const { code, stdout } = await run(command, ['version'], {
    timeoutMs: 60_000,
    env: { GOTOOLCHAIN: 'local' },
  });
  const match = /\bgo(\d+)\.(\d+)/.exec(stdout);
  return code === 0 && match ? [Number(match[1]), Number(match[2])] : undefined;
}

function isAtLeast([major, minor], [wantedMajor, wantedMinor]) {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

async function download(platform, target) {
  const name = `golang.org/toolchain@v0.0.1-go${VERSION}.${GO_PLATFORM[platform]}`;
  const zip = await fetched(`${proxy()}/${name.replace('@', '/@v/')}.zip`);
  if (createHash('sha256').update(zip).digest('hex') !== ZIP_SHA256[platform]) {
    throw new StepError(`Go ${VERSION} arrived with other bytes than it should have`, {
      remedy: `look at what answers at ${proxy()} (GOPROXY), or put Go into PATH`,
    });
  }
  await ensurePackages(['python3'], 'to unpack Go', () => undefined);
  const log = logPath('go');
  const folder = mkdtempSync(join(tmpdir(), 'headrace-go-'));
  try {
    const path = join(folder, 'go.zip');
    writeFileSync(path, zip);
    await runOrFail('python3', ['-m', 'zipfile', '-e', path, folder], 'Go could not be unpacked', { log });
    const root = join(folder, ...name.split('/'));
    // a module has no executable files: the go command makes them so, and so do we
    for (const below of ['bin', join('pkg', 'tool')]) {
      for (const file of filesBelow(join(root, below), () => true)) chmodSync(file, 0o755);
    }
    await publishFolder(target, async (published) => {
      rmSync(published, { recursive: true });
      await moved(root, published, log);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The temporary folder may lie on another disk. */
async function moved(from, to, log) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV') throw error;
    await runOrFail('cp', ['-R', from, to], 'Go could not be put into the cache', { log });
  }
}

async function fetched(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS_MAX) });
    if (answer.ok) return Buffer.from(await answer.arrayBuffer());
    throw new Error(`status ${answer.status}`);
  } catch (error) {
    throw new StepError(`Go ${VERSION} could not be had from the Go module proxy (${error.message})`, {
      remedy: `see that ${url} can be reached, or put Go into PATH`,
    });
  }
}

/** The first of GOPROXY that is one. */
function proxy() {
  const named = (process.env.GOPROXY ?? '').split(/[,|]/).find((each) => /^https?:/.test(each));
  return (named ?? 'https://proxy.golang.org').replace(/\/$/, '');
}
