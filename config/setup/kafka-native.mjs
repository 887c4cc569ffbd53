/**
 * The native part of @confluentinc/kafka-javascript: from our cache, else the maker's prebuilt, else from source.
 *
 * Whatever the way, it counts only once a process has loaded it: a cached build links against the system's libraries,
 * which another machine or the next upgrade may not have.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { run } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { headersFolder } from './node-headers.mjs';
import { removeStamp, stampIs, writeStamp } from './stamp.mjs';
import { StepError } from './step-error.mjs';

const PACKAGE = '@confluentinc/kafka-javascript';
const PREBUILT_MS_MAX = 120_000;
const BUILD_TRIES = 2;
const HEADERS = [
  'libcurl4-openssl-dev',
  'libssl-dev',
  'libsasl2-dev',
  'zlib1g-dev',
  'libzstd-dev',
  'liblz4-dev',
];

const HEADERS_REMEDY =
  "if nodejs.org can't be reached from here: take a Node.js that brings its headers (include/node beside bin, " +
  'as in its own archives), or set npm_config_nodedir to a folder with them';

const folder = inCheckout('node_modules', PACKAGE);
const binary = join(folder, 'build', 'Release', 'confluent-kafka-javascript.node');
const stamp = join(folder, 'build', '.headrace-loaded');

/** @param {(note: string) => void} note */
export async function prepareKafkaNative(note) {
  const key = cacheKey();
  if (isProved(key)) return 'up to date';
  return withLock(
    cachePath('locks', key),
    async () => {
      if (existsSync(binary) && (await loads())) return accept(key, 'already built');
      if (await fromCache(key)) return accept(key, 'from the cache');
      note('downloading the prebuilt');
      if (await fromPrebuilt()) return accept(key, 'prebuilt by its maker');
      await fromSource(note);
      return accept(key, 'built from source');
    },
    (owner) => note(`waiting for ${owner}, which builds it`),
  );
}

function cacheKey() {
  const { version } = readJson(join(folder, 'package.json'));
  return `kafka-javascript-${version}-abi${process.versions.modules}-${process.platform}-${process.arch}-${libc()}`;
}

function libc() {
  if (process.platform !== 'linux') return 'system';
  process.report.excludeNetwork = true; // or the report resolves the names of all peers
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function isProved(key) {
  const stat = statSync(binary, { throwIfNoEntry: false });
  return stat !== undefined && stampIs(stamp, proof(key, stat));
}

function proof(key, stat) {
  return `${key} ${stat.size} ${stat.mtimeMs}`;
}

/** In a process of its own: one that loads and crashes must not take the set-up with it. */
async function loads() {
  const answer = await run(process.execPath, ['-e', `require(${JSON.stringify(PACKAGE)})`], {
    cwd: checkout,
    log: logPath('kafka-native'),
    timeoutMs: 60_000,
  });
  return answer.code === 0;
}

async function accept(key, how) {
  const entry = cachePath('native', key);
  if (!existsSync(entry) || how !== 'from the cache') {
    await publishFolder(entry, (target) => copyBuilt(join(folder, 'build'), target));
  }
  writeStamp(stamp, proof(key, statSync(binary)));
  return how;
}

/** The binary and, for a build from source, the librdkafka beside it, which it finds by a path relative to its own. */
function copyBuilt(from, to) {
  mkdirSync(join(to, 'Release'), { recursive: true });
  for (const name of readdirSync(join(from, 'Release'))) {
    if (name.endsWith('.node')) cpSync(join(from, 'Release', name), join(to, 'Release', name));
  }
  if (!existsSync(join(from, 'deps'))) return;
  mkdirSync(join(to, 'deps'), { recursive: true });
  for (const name of readdirSync(join(from, 'deps'))) {
    if (/\.so\.\d+$|\.dylib$/.test(name)) cpSync(join(from, 'deps', name), join(to, 'deps', name));
  }
}

async function fromCache(key) {
  const entry = cachePath('native', key);
  if (!existsSync(entry)) return false;
  clean();
  copyBuilt(entry, join(folder, 'build'));
  return loads();
}

/** Bounded in time: behind some firewalls the download neither fails nor ends. */
async function fromPrebuilt() {
  clean();
  const answer = await run(
    process.execPath,
    [inCheckout('node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp'), 'install'],
    { cwd: folder, log: logPath('kafka-native'), timeoutMs: PREBUILT_MS_MAX },
  );
  return answer.code === 0 && loads();
}

/** Its makefiles race now and then: a second try of the same build goes through. */
async function fromSource(note) {
  await ensurePackages(
    [...HEADERS, 'make', 'g++', 'python3'],
    `to build ${PACKAGE} (no prebuilt could be had)`,
    note,
  );
  const log = logPath('kafka-native');
  // what the user's own npm says of headers goes first
  const nodedir = process.env.npm_config_nodedir ?? headersFolder(process.execPath, process.version);
  for (let attempt = 1; attempt <= BUILD_TRIES; attempt++) {
    note(attempt === 1 ? 'building from source, 2–3 minutes' : 'building once more');
    const answer = await run('npm', ['rebuild', PACKAGE], {
      cwd: checkout,
      log,
      env: {
        CKJS_LINKING: 'dynamic',
        npm_config_ignore_scripts: 'false',
        npm_config_build_from_source: 'true',
        ...(nodedir === undefined ? {} : { npm_config_nodedir: nodedir }),
      },
    });
    if (answer.code === 0 && (await loads())) return;
  }
  const remedy = nodedir === undefined ? HEADERS_REMEDY : undefined;
  throw new StepError(`the native part of ${PACKAGE} could not be built`, { log, remedy });
}

function clean() {
  removeStamp(stamp);
  rmSync(join(folder, 'build'), { recursive: true, force: true });
}
