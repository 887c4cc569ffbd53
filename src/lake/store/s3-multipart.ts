import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Attempts } from './s3-attempts.js';

/** Larger objects travel in parts: a broken connection costs one of them. R2 wants all but the last of one size. */
export const PART_BYTES = 8 * 2 ** 20;
/** What one request carries. */
export const SINGLE_PUT_BYTES_MAX = 2 * PART_BYTES;
/** So many parts are under way at a time. */
const PARTS_AT_ONCE = 4;

export interface MultipartTarget {
  client: S3Client;
  attempts: S3Attempts;
  bucket: string;
  key: string;
  /** For messages. */
  path: string;
}

/**
 * Writes an object in parts, replacing what was there; it appears whole with the last request. A lost answer to that one is
 * resolved by asking again: the store knows the upload, or has forgotten it because it is done, which `isThere` then says.
 */
export async function putInParts(
  { client, attempts, bucket, key, path }: MultipartTarget,
  bytes: Uint8Array,
  isThere: () => Promise<boolean>,
): Promise<void> {
  const object = { Bucket: bucket, Key: key };
  const { UploadId } = await attempts.run({ action: 'begin the upload of', path }, ({ signal }) =>
    client.send(new CreateMultipartUploadCommand(object), { abortSignal: signal }),
  );
  const upload = { ...object, UploadId: UploadId! };
  const parts = Math.ceil(bytes.byteLength / PART_BYTES);
  const etags: string[] = [];
  let next = 0;
  const sendParts = async () => {
    while (next < parts) {
      const part = next++;
      const body = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      const { ETag } = await attempts.run(
        { action: `write part ${part + 1} of`, path, bodyBytes: body.byteLength },
        ({ signal }) =>
          client.send(new UploadPartCommand({ ...upload, PartNumber: part + 1, Body: body }), {
            abortSignal: signal,
          }),
      );
      etags[part] = ETag!;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, parts) }, sendParts));
    const MultipartUpload = { Parts: etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 })) };
    await attempts.run({ action: 'complete the upload of', path }, async ({ signal }) => {
      try {
        await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }), {
          abortSignal: signal,
        });
      } catch (error) {
        if ((error as Error).name !== 'NoSuchUpload' || !(await isThere())) throw error;
      }
    });
  } catch (error) {
    next = parts;
    await giveUp(client, upload);
    throw error;
  }
}

/** Parts that stay are paid for until somebody removes them; the rule for that is the bucket's (README). */
async function giveUp(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string },
): Promise<void> {
  await client
    .send(new AbortMultipartUploadCommand(upload), { abortSignal: AbortSignal.timeout(GIVE_UP_MS) })
    .catch(() => undefined);
}

const GIVE_UP_MS = 5_000;
