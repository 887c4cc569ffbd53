import { S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from '../../config/types.js';
import { credentialsOf } from './s3-credentials.js';

/** What stores that are not AWS's take for a region, where nobody named one. */
const REGION_ELSEWHERE = 'us-east-1';
const CONNECT_MS = 3_000;
const SOCKETS_MAX = 32;

export interface S3Access {
  client: S3Client;
  /** Undefined: AWS by region. */
  endpoint: string | undefined;
}

/** A client of this thread. Nothing is asked yet: keys and region are looked for with the first request. */
export function s3Access(
  config: S3Config,
  bucket: string,
  nowMs: () => number,
  env: Readonly<Record<string, string | undefined>> = process.env,
): S3Access {
  silenceVersionWarning();
  const endpoint = config.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined);
  const region = config.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const credentials = credentialsOf(config, nowMs);
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined && endpoint === undefined ? {} : { region: region ?? REGION_ELSEWHERE }),
    ...(credentials === null ? {} : { credentials }),
    forcePathStyle: config.pathStyle === 'auto' ? isPathStyle(endpoint, bucket) : config.pathStyle,
    maxAttempts: 1,
    // a body in memory is signed with its SHA-256, which the store checks; not all stores know the newer checksums
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
    },
  });
  return { client, endpoint };
}

/** The SDK would write to stderr, once a thread, from which Node on its releases of 2027 run. */
export function silenceVersionWarning(): void {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}

/** AWS wants the bucket in the host's name, where its certificate covers it; elsewhere few set up the names for that. */
function isPathStyle(endpoint: string | undefined, bucket: string): boolean {
  if (bucket.includes('.')) return true;
  return endpoint !== undefined && !/\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}
