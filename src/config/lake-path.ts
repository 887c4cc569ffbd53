import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a sessions table lies: a local folder, or a prefix in a bucket. Nothing is asked of either here. */

export interface S3Location {
  bucket: string;
  /** '' is the bucket itself; no slash at either end. */
  prefix: string;
}

/** What AWS allows, MinIO and R2 too. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Other names of the same thing in other tools, and stores that speak another language. */
const S3_ALIASES = ['s3a', 's3n'];

/** Null: a local folder. Only for paths that `lakePath` gave. */
export function s3LocationOf(path: string): S3Location | null {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(path);
  return match === null ? null : { bucket: match[1]!, prefix: match[2] ?? '' };
}

/** What somebody wrote, as an absolute folder or `s3://bucket/prefix` without a slash at the end; or what is wrong with it. */
export function lakePath(path: string, folder: string): { path: string } | { problem: string } {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path)?.[1]?.toLowerCase();
  if (scheme === undefined) return { path: resolve(folder, path) };
  if (scheme === 's3') return bucketPath(path.slice('s3://'.length));
  if (S3_ALIASES.includes(scheme)) {
    return { problem: `is written s3:// here: s3://${path.slice(scheme.length + '://'.length)}` };
  }
  if (scheme !== 'file') {
    return { problem: `must be a local folder or s3://bucket/prefix: ${scheme}:// is not supported` };
  }
  try {
    return { path: fileURLToPath(path) };
  } catch {
    return { problem: 'is not a file URL of this machine: write file:///folder' };
  }
}

/** Is a place another one, or below it? Both as `lakePath` gave them. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(other.endsWith('/') ? other : `${other}/`);
}

function bucketPath(rest: string): { path: string } | { problem: string } {
  const [bucket = '', ...parts] = rest.replace(/\/+$/, '').split('/');
  if (bucket.includes('@')) {
    return {
      problem: 'must hold no keys: leave them to the standard chain, or set lake.s3.access_key_id_file',
    };
  }
  if (!BUCKET.test(bucket)) {
    const says = '3 to 63 small letters, digits, dots and hyphens';
    return { problem: `must be s3://bucket/prefix with a bucket's name (${says}), not "${bucket}"` };
  }
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    return { problem: 'must be s3://bucket/prefix without empty parts, . and ..' };
  }
  return { path: ['s3:/', bucket, ...parts].join('/') };
}
