import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { LakeConfig } from '#src/config/types.js';
import { silenceVersionWarning } from '#src/lake/store/s3-client.js';
import { freePorts } from '../kafka-cluster/free-ports.js';
import { Reaper } from '../kafka-cluster/reaper.js';

/** A MinIO of its own, on loopback, with its data in a temporary folder that goes with it. */

const USER = 'headrace-tests';
const SECRET = 'not-a-secret-of-anybody';
const REGION = 'us-east-1';
const READY_MS_MAX = 120_000;
const POLL_MS = 50;
const LOG_CHARACTERS = 2_000;

export interface MinioServer {
  /** http://127.0.0.1:port; the same after a restart. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Files that hold the keys, as configurations name them. */
  readonly keyFiles: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What AWS's tools read from the environment. */
  env(endpoint?: string): Record<string, string>;
  /** A place below the bucket. `endpoint`: of a proxy before it. */
  place(prefix: string, more?: { endpoint?: string; requestTimeoutMs?: number }): LakeConfig;
  /** As delta-rs names them. */
  storageOptions(): Record<string, string>;
  makeBucket(name: string): Promise<void>;
  /** Whoever asks may read and write: for a gateway that has no keys of its own. */
  openToAll(bucket: string): Promise<void>;
  /** Ends the process at once; what it answered before is on its disk. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface MinioKeys {
  readonly user: string;
  readonly secret: string;
}

/** `binary`: of the set-up. Answers when it serves and the bucket is there. */
export async function startMinio(
  binary: string,
  keys: MinioKeys = { user: USER, secret: SECRET },
  bucket = 'session-metrics',
): Promise<MinioServer> {
  const folder = await mkdtemp(join(tmpdir(), 'headrace-minio-'));
  const server = new Minio(binary, folder, keys, bucket);
  try {
    await server.begin();
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

class Minio implements MinioServer {
  endpoint = '';
  readonly bucket: string;
  readonly keyFiles: MinioServer['keyFiles'];
  readonly #binary: string;
  readonly #folder: string;
  readonly #keys: MinioKeys;
  readonly #log: string;
  readonly #reaper: Reaper;
  #child: ChildProcess | null = null;
  #client: S3Client | null = null;

  constructor(binary: string, folder: string, keys: MinioKeys, bucket: string) {
    this.#binary = binary;
    this.#folder = folder;
    this.#keys = keys;
    this.bucket = bucket;
    this.#log = join(folder, 'minio.log');
    this.keyFiles = {
      accessKeyId: join(folder, 'access-key-id'),
      secretAccessKey: join(folder, 'secret-access-key'),
    };
    this.#reaper = new Reaper(folder);
  }

  async begin(): Promise<void> {
    await mkdir(join(this.#folder, 'data'));
    await writeFile(this.keyFiles.accessKeyId, `${this.#keys.user}\n`);
    await writeFile(this.keyFiles.secretAccessKey, `${this.#keys.secret}\n`);
    const [port] = await freePorts(1);
    this.endpoint = `http://127.0.0.1:${port}`;
    await this.start();
    await this.makeBucket(this.bucket);
  }

  env(endpoint = this.endpoint): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: this.#keys.user,
      AWS_SECRET_ACCESS_KEY: this.#keys.secret,
      AWS_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  place(prefix: string, { endpoint = this.endpoint, requestTimeoutMs = 10_000 } = {}): LakeConfig {
    return {
      path: prefix === '' ? `s3://${this.bucket}` : `s3://${this.bucket}/${prefix}`,
      s3: {
        endpoint,
        region: REGION,
        pathStyle: 'auto',
        accessKeyIdFile: this.keyFiles.accessKeyId,
        secretAccessKeyFile: this.keyFiles.secretAccessKey,
        sessionTokenFile: null,
        requestTimeoutMs,
      },
    };
  }

  storageOptions(): Record<string, string> {
    return { ...this.env(), AWS_ALLOW_HTTP: 'true' };
  }

  async makeBucket(name: string): Promise<void> {
    silenceVersionWarning();
    this.#client ??= new S3Client({
      endpoint: this.endpoint,
      region: REGION,
      forcePathStyle: true,
      credentials: { accessKeyId: this.#keys.user, secretAccessKey: this.#keys.secret },
    });
    await this.#client.send(new CreateBucketCommand({ Bucket: name }));
  }

  async openToAll(bucket: string): Promise<void> {
    const resources = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    const statement = { Effect: 'Allow', Principal: { AWS: ['*'] }, Action: ['s3:*'], Resource: resources };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await this.#client!.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  }

  async start(): Promise<void> {
    const log = openSync(this.#log, 'a');
    const address = new URL(this.endpoint).host;
    const child = spawn(
      this.#binary,
      ['server', '--quiet', '--address', address, join(this.#folder, 'data')],
      {
        stdio: ['ignore', log, log],
        env: {
          ...process.env,
          HOME: this.#folder,
          MINIO_ROOT_USER: this.#keys.user,
          MINIO_ROOT_PASSWORD: this.#keys.secret,
          MINIO_BROWSER: 'off',
          MINIO_UPDATE: 'off',
        },
      },
    );
    closeSync(log);
    this.#child = child;
    child.once('error', () => undefined);
    if (child.pid !== undefined) this.#reaper.started(child.pid);
    for (let waitedMs = 0; !(await this.#isReady()); waitedMs += POLL_MS) {
      const isGone = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
      if (isGone || waitedMs > READY_MS_MAX) throw new Error(`MinIO does not serve: ${await this.#logEnd()}`);
      await sleep(POLL_MS);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('close', done));
    child.kill('SIGKILL');
    await ended;
    this.#reaper.ended(child.pid);
  }

  async close(): Promise<void> {
    this.#client?.destroy();
    await this.kill();
    this.#reaper.finish();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.endpoint}/minio/health/ready`, {
        signal: AbortSignal.timeout(2_000),
      });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }

  async #logEnd(): Promise<string> {
    const text = await readFile(this.#log, 'utf8').catch(() => 'no log');
    return text.slice(-LOG_CHARACTERS).trim() || 'it said nothing';
  }
}
