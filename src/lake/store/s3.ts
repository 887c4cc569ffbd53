import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { type Clock, systemClock } from '../../clock.js';
import { s3LocationOf } from '../../config/lake-path.js';
import type { LakeConfig } from '../../config/types.js';
import { crashPoint } from '../../crash-points.js';
import { HeadraceError } from '../../errors.js';
import { invariant } from '../../invariant.js';
import { type Random, systemRandom } from '../../random.js';
import { halfWayOf } from './half-way.js';
import { isObjectPath, notBelowTable } from './object-path.js';
import { S3Attempts, type S3AttemptsOptions } from './s3-attempts.js';
import { bodyBytes, stillBytes } from './s3-body.js';
import { type S3Access, s3Access } from './s3-client.js';
import { isNoObject, isPassingFailure, isTaken } from './s3-errors.js';
import { putInParts, SINGLE_PUT_BYTES_MAX } from './s3-multipart.js';
import type { ObjectInfo, ObjectStore } from './store.js';

/**
 * A table below a prefix of a bucket: AWS, MinIO, R2 and others that honour `If-None-Match: *`.
 *
 * An object appears whole with the answer to its write, and is durable then. An answer may be lost: the write may have been
 * applied, or may be yet. So each is made again until it is answered, and where the store then says that something is there,
 * or nothing more can be asked, what is there is read back and compared.
 */
export type S3StoreOptions = Partial<Pick<S3AttemptsOptions, 'clock' | 'random' | 'signal' | 'onRetry'>>;

export class S3Store implements ObjectStore {
  readonly url: string;
  readonly #bucket: string;
  /** '' or ending in '/'. */
  readonly #prefix: string;
  readonly #client: S3Access['client'];
  readonly #attempts: S3Attempts;

  constructor({ path, s3 }: LakeConfig, options: S3StoreOptions = {}) {
    const location = s3LocationOf(path);
    invariant(location !== null, 'a bucket was named', { path });
    const clock: Clock = options.clock ?? systemClock;
    const random: Random = options.random ?? systemRandom;
    this.url = path;
    this.#bucket = location.bucket;
    this.#prefix = location.prefix === '' ? '' : `${location.prefix}/`;
    const { client, endpoint } = s3Access(s3, location.bucket, () => clock.nowMs());
    this.#client = client;
    const { signal, onRetry } = options;
    this.#attempts = new S3Attempts({
      clock,
      random,
      signal,
      onRetry,
      endpoint,
      answerMs: s3.requestTimeoutMs,
    });
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    try {
      const outcome = await this.#putOnce('create', path, bytes, '*');
      if (outcome === 'written') return 'created';
    } catch (error) {
      if (!(error instanceof HeadraceError) || !isPassingFailure(error)) throw error;
      return await this.#afterLostAnswer(path, bytes, error);
    }
    // a proxy on the way may have sent it twice, and so may we: what is there may be ours
    const there = await this.get(path);
    return there !== null && Buffer.compare(there, bytes) === 0 ? 'created' : 'exists';
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength <= SINGLE_PUT_BYTES_MAX) {
      await this.#putOnce('write', path, bytes, undefined);
      return;
    }
    const still = stillBytes(bytes);
    const target = {
      client: this.#client,
      attempts: this.#attempts,
      bucket: this.#bucket,
      key: this.#key(path),
    };
    const isThere = async () => {
      const there = await this.get(path);
      return there !== null && Buffer.compare(there, still) === 0;
    };
    await putInParts({ ...target, path: this.#where(path) }, still, isThere);
  }

  async get(path: string): Promise<Uint8Array | null> {
    const Key = this.#key(path);
    return await this.#attempts.run({ action: 'read', path: this.#where(path) }, async (time) => {
      try {
        const command = new GetObjectCommand({ Bucket: this.#bucket, Key });
        const { Body, ContentLength } = await this.#client.send(command, { abortSignal: time.signal });
        return await bodyBytes(Body as Readable, ContentLength, time);
      } catch (error) {
        if (isNoObject(error)) return null;
        throw error;
      }
    });
  }

  async list(prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
    const objects: ObjectInfo[] = [];
    const after = startAfter === undefined ? {} : { StartAfter: this.#prefix + startAfter };
    for await (const { Contents = [], EncodingType } of this.#pages(prefix, after)) {
      for (const { Key = '', Size = 0, LastModified } of Contents) {
        const key = EncodingType === 'url' ? decodeKey(Key) : Key;
        // what a console makes to show a folder is no object of a table
        if (key.endsWith('/')) continue;
        objects.push({
          path: key.slice(this.#prefix.length),
          sizeBytes: Size,
          modifiedMs: LastModified?.getTime() ?? 0,
        });
      }
    }
    return objects.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async delete(path: string): Promise<void> {
    const Key = this.#key(path);
    await this.#attempts.run({ action: 'delete', path: this.#where(path) }, async ({ signal }) => {
      try {
        const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key });
        await this.#client.send(command, { abortSignal: signal });
      } catch (error) {
        if (!isNoObject(error)) throw error;
      }
    });
  }

  /** Names right below the table's place: of objects, and of what would be folders. */
  async children(): Promise<{ objects: string[]; folders: string[] }> {
    const objects: string[] = [];
    const folders: string[] = [];
    for await (const page of this.#pages('', { Delimiter: '/' })) {
      const name = (key: string | undefined) =>
        (page.EncodingType === 'url' ? decodeKey(key ?? '') : (key ?? '')).slice(this.#prefix.length);
      for (const { Key } of page.Contents ?? []) objects.push(name(Key));
      for (const { Prefix } of page.CommonPrefixes ?? []) folders.push(name(Prefix).replace(/\/$/, ''));
    }
    return { objects: objects.filter((each) => each !== ''), folders };
  }

  async *#pages(
    prefix: string,
    more: { StartAfter?: string; Delimiter?: string },
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    const folder = prefix === '' ? '' : `${prefix.replace(/\/$/, '')}/`;
    let next: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#prefix + folder,
        // XML has no place for some characters that a key may hold
        EncodingType: 'url',
        ...more,
        ...(next === undefined ? {} : { ContinuationToken: next }),
      });
      const page = await this.#attempts.run({ action: 'list', path: this.#where(folder) }, ({ signal }) =>
        this.#client.send(command, { abortSignal: signal }),
      );
      yield page;
      next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (next !== undefined);
  }

  /** 'taken': the condition did not hold. */
  async #putOnce(
    action: string,
    path: string,
    bytes: Uint8Array,
    condition: '*' | undefined,
  ): Promise<'written' | 'taken'> {
    const Body = stillBytes(bytes);
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: this.#key(path),
      Body,
      ...(condition === undefined ? {} : { IfNoneMatch: condition }),
    });
    const request = { action, path: this.#where(path), bodyBytes: Body.byteLength };
    const halfWay = halfWayOf(path);
    return await this.#attempts.run(request, async ({ signal }) => {
      try {
        const sending = this.#client.send(command, { abortSignal: signal });
        // under way and not answered: what half a file is on a disk
        if (halfWay !== null) setImmediate(() => crashPoint(halfWay));
        await sending;
        return 'written';
      } catch (error) {
        if (condition !== undefined && isTaken(error)) return 'taken';
        throw error;
      }
    });
  }

  /** No attempt was answered: each may have been applied, or may be yet. Throws why, where the store can't be asked either. */
  async #afterLostAnswer(
    path: string,
    bytes: Uint8Array,
    why: HeadraceError,
  ): Promise<'created' | 'exists' | 'unknown'> {
    let there: Uint8Array | null;
    try {
      there = await this.get(path);
    } catch {
      throw why;
    }
    if (there === null) return 'unknown';
    return Buffer.compare(there, bytes) === 0 ? 'created' : 'exists';
  }

  #key(path: string): string {
    if (!isObjectPath(path)) throw notBelowTable(path, this.url);
    return this.#prefix + path;
  }

  #where(path: string): string {
    return path === '' ? this.url : `${this.url}/${path}`;
  }
}

/** Keys in a list come as in a URL's query: a space as `+`. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', '%20'));
}
