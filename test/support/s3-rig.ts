import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openStore } from '#src/lake/store/open-store.js';
import { S3Store, type S3StoreOptions } from '#src/lake/store/s3.js';
import { type HttpFaultProxy, type SeenRequest, startHttpFaultProxy } from './http-fault-proxy.js';
import { type MinioServer, startMinio } from './minio.js';

/** A MinIO behind a proxy that goes wrong on demand. Each `store` has a prefix of its own. */
export class S3Rig {
  #prefixes = 0;

  private constructor(
    readonly minio: MinioServer,
    readonly proxy: HttpFaultProxy,
  ) {}

  static async start(): Promise<S3Rig> {
    const minio = await startMinio();
    return new S3Rig(minio, await startHttpFaultProxy(minio.endpoint));
  }

  nextPrefix(): string {
    this.#prefixes++;
    return `prefix-${this.#prefixes}/sessions`;
  }

  /** Through the proxy, in a prefix that was never used, and the same without the proxy. */
  stores({ requestTimeoutMs = 10_000, ...options }: S3StoreOptions & { requestTimeoutMs?: number } = {}): {
    store: S3Store;
    direct: S3Store;
  } {
    const prefix = this.nextPrefix();
    return {
      store: new S3Store(this.minio.place(prefix, { endpoint: this.proxy.url, requestTimeoutMs }), options),
      direct: new S3Store(this.minio.place(prefix)),
    };
  }

  /** A table's objects as files, for readers of folders. */
  async mirror(prefix: string, folder: string): Promise<void> {
    const store = await openStore(this.minio.place(prefix));
    for (const { path } of await store.list('')) {
      const bytes = await store.get(path);
      if (bytes === null) continue;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
  }

  async close(): Promise<void> {
    await this.proxy.close();
    await this.minio.close();
  }
}

export const isPut = ({ method }: SeenRequest) => method === 'PUT';
export const isGet = ({ method }: SeenRequest) => method === 'GET';

/** An answer as S3 writes it. */
export function s3Answer(status: number, code: string): { kind: 'answer'; status: number; body: string } {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up</Message></Error>`;
  return { kind: 'answer', status, body };
}
