/**
 * Bodies of requests, received whole before anything is done with them: a client that is slow or goes away holds nobody
 * up, and one that breaks off half-way has asked for nothing.
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { ServerFault } from './clickhouse-front-fault.js';

const STATEMENT_BYTES_MAX = 64 * 1024 * 1024;
const DATA_BYTES_MAX = 1024 * 1024 * 1024;

/** The body of a request whose statement is (partly) in it, compression undone. */
export async function receiveStatement(request: IncomingMessage, compression: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bounded(request, STATEMENT_BYTES_MAX)) chunks.push(chunk);
  return decompress(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), compression);
}

/** The body, as it comes, in a file at `path`. */
export async function receiveFile(request: IncomingMessage, path: string): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    await pipeline(bounded(request, DATA_BYTES_MAX), file);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function* bounded(request: IncomingMessage, bytesMax: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new ServerFault(307, 'TOO_MANY_BYTES', `The body has more than ${bytesMax} bytes.`);
    }
    yield chunk;
  }
}

async function decompress(bytes: Buffer, compression: string): Promise<Buffer> {
  const options = { maxOutputLength: STATEMENT_BYTES_MAX };
  try {
    switch (compression) {
      case 'none':
        return bytes;
      case 'gzip':
        return await promisify(gunzip)(bytes, options);
      case 'deflate':
        return await promisify(inflate)(bytes, options);
      case 'br':
        return await promisify(brotliDecompress)(bytes, options);
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ServerFault(354, 'ZLIB_INFLATE_FAILED', `The body can't be decompressed: ${message}.`);
  }
  throw new ServerFault(48, 'NOT_IMPLEMENTED', `The embedded ClickHouse takes no query in ${compression}.`);
}
