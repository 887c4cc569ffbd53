/** MinIO, for the tests and benchmarks: an object store that speaks S3, built from the Go module proxy, in the cache. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { runOrFail } from './child-processes.mjs';
import { ensureGo } from './go.mjs';
import { withLock } from './lock.mjs';

/** A commit of February 2026, as the proxy names it. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';
const MODULE = `github.com/minio/minio@${VERSION}`;
/** Of what MODULE says in its go.mod. */
const GO_VERSION_MIN = [1, 24];
const BUILD_MS_MAX = 2_700_000;

function minioFolder() {
  return cachePath(`minio-${VERSION.split('-').at(-1)}-${process.platform}-${process.arch}`);
}

/** The server, there or not. */
export function minioBinary() {
  return join(minioFolder(), 'minio');
}

/** @param {(note: string) => void} note */
export async function prepareMinio(note) {
  if (existsSync(minioBinary())) return 'up to date';
  return withLock(
    cachePath('locks', 'minio'),
    async () => {
      if (existsSync(minioBinary())) return 'up to date';
      const go = await ensureGo(GO_VERSION_MIN, 'to build MinIO for the tests', note);
      note('built from the Go module proxy, once a machine: 5 to 10 minutes');
      await build(go);
      return 'built';
    },
    (owner) => note(`waiting for ${owner}, which builds it`),
  );
}

async function build({ command, env, isOwn }) {
  const log = logPath('minio');
  const args = ['install', '-trimpath', '-ldflags', '-s -w', MODULE];
  // who has a Go of their own has caches for it; ours would stay behind, over a gigabyte
  const scratch = isOwn ? mkdtempSync(join(tmpdir(), 'headrace-minio-')) : null;
  const caches =
    scratch === null
      ? {}
      : { GOPATH: scratch, GOCACHE: join(scratch, 'build-cache'), GOFLAGS: '-modcacherw' };
  try {
    await publishFolder(minioFolder(), async (folder) => {
      await runOrFail(command, args, 'MinIO could not be built', {
        log,
        timeoutMs: BUILD_MS_MAX,
        env: { ...env, ...caches, GOBIN: folder, CGO_ENABLED: '0' },
      });
      await runOrFail(join(folder, 'minio'), ['--version'], 'the MinIO that was built does not start', {
        log,
      });
    });
  } finally {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  }
}
