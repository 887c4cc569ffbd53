import { HeadraceError } from '../../errors.js';

/** What the answers of an object store, and the lack of one, mean for an operator and for the next try. */

interface Meaning {
  what: string;
  remedy: string;
  /** It may pass by itself: the request is made again. */
  passes?: true;
}

const LATER = 'nothing, if it passes; else look at the store and the network between';
const KEYS =
  'check lake.s3.access_key_id_file and lake.s3.secret_access_key_file, or what the standard chain finds (AWS_ACCESS_KEY_ID, a profile, the role of the machine)';
const ENDPOINT = 'check lake.s3.endpoint (or AWS_ENDPOINT_URL) and the network';
const RIGHTS =
  'allow s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the prefix';
const REGION = 'set lake.s3.region to the region of the bucket';
const STYLE = 'check lake.path, lake.s3.endpoint and lake.s3.path_style';

const BY_CODE: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: { what: 'there is no such bucket', remedy: 'make the bucket, or name another in lake.path' },
  AccessDenied: { what: 'the store denies access', remedy: RIGHTS },
  AllAccessDisabled: { what: 'the store denies access', remedy: RIGHTS },
  InvalidAccessKeyId: { what: 'the store does not know the access key', remedy: KEYS },
  SignatureDoesNotMatch: { what: 'the secret does not belong to the access key', remedy: KEYS },
  InvalidToken: { what: 'the store does not accept the session token', remedy: KEYS },
  ExpiredToken: { what: 'the session token has expired', remedy: KEYS },
  CredentialsProviderError: { what: 'no access key was found', remedy: KEYS },
  PermanentRedirect: { what: 'the bucket lies elsewhere', remedy: REGION },
  AuthorizationHeaderMalformed: { what: 'the bucket lies in another region', remedy: REGION },
  IllegalLocationConstraintException: { what: 'the bucket lies in another region', remedy: REGION },
  InvalidBucketName: { what: 'the store refuses the name of the bucket', remedy: STYLE },
  MethodNotAllowed: { what: 'the store does not allow this', remedy: STYLE },
  RequestTimeTooSkewed: {
    what: "this machine's clock and the store's differ",
    remedy: 'set the clock: run an NTP client',
    passes: true,
  },
  NotImplemented: {
    what: 'the store does not know conditional writes',
    remedy: 'use a store that honours If-None-Match: AWS S3, a current MinIO, Cloudflare R2',
  },
  InvalidObjectState: {
    what: 'the object is in an archive class and cannot be read at once',
    remedy: 'restore it, and exclude the table from the rule that archives',
  },
  XMinioStorageFull: { what: "the store's disks are full", remedy: 'free space on the store', passes: true },
  XMinioAdminBucketQuotaExceeded: {
    what: "the bucket's quota is used up",
    remedy: 'raise the quota or free space',
  },
  SlowDown: { what: 'the store asks for fewer requests', remedy: LATER, passes: true },
  ServiceUnavailable: { what: 'the store is not available', remedy: LATER, passes: true },
  InternalError: { what: 'the store reports a fault of its own', remedy: LATER, passes: true },
  RequestTimeout: { what: 'the store waited in vain for the rest of a request', remedy: LATER, passes: true },
  OperationAborted: { what: 'the store is busy with another write there', remedy: LATER, passes: true },
  ConditionalRequestConflict: {
    what: 'the store is busy with another write there',
    remedy: LATER,
    passes: true,
  },
  BadDigest: { what: 'bytes arrived damaged', remedy: LATER, passes: true },
  XAmzContentSHA256Mismatch: { what: 'bytes arrived damaged', remedy: LATER, passes: true },
  IncompleteBody: { what: 'not all bytes arrived', remedy: LATER, passes: true },
  TimeoutError: { what: 'no answer in time', remedy: ENDPOINT, passes: true },
  AnswerBrokenOff: { what: 'the answer broke off', remedy: ENDPOINT, passes: true },
  ECONNREFUSED: { what: 'the connection was refused', remedy: ENDPOINT, passes: true },
  ECONNRESET: { what: 'the connection broke', remedy: ENDPOINT, passes: true },
  EPIPE: { what: 'the connection broke', remedy: ENDPOINT, passes: true },
  ETIMEDOUT: { what: 'no connection in time', remedy: ENDPOINT, passes: true },
  ENOTFOUND: { what: "the endpoint's name is not known", remedy: ENDPOINT, passes: true },
  EAI_AGAIN: { what: "the endpoint's name could not be looked up", remedy: ENDPOINT, passes: true },
  EHOSTUNREACH: { what: 'the endpoint cannot be reached', remedy: ENDPOINT, passes: true },
  ENETUNREACH: { what: 'the endpoint cannot be reached', remedy: ENDPOINT, passes: true },
};

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  301: BY_CODE.PermanentRedirect!,
  307: { what: 'the bucket is moving', remedy: LATER, passes: true },
  403: BY_CODE.AccessDenied!,
  405: BY_CODE.MethodNotAllowed!,
  408: BY_CODE.RequestTimeout!,
  409: BY_CODE.OperationAborted!,
  429: BY_CODE.SlowDown!,
  501: BY_CODE.NotImplemented!,
};

/** Codes that say: not so fast. */
const THROTTLED: ReadonlySet<string> = new Set(['SlowDown', 'ServiceUnavailable', '429', '503']);
const MESSAGE_CHARACTERS_MAX = 300;

/** The SDK's errors, as far as they are looked at. */
interface SdkError {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  cause?: unknown;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { headers?: Readonly<Record<string, string>> };
}

/** What went wrong with one request. */
export interface S3Failure {
  /** The store's code, the system's, or the status as text. */
  code: string;
  status: number | undefined;
  requestId: string | undefined;
  what: string;
  remedy: string | undefined;
  /** It may pass by itself: the request is made again. */
  passes: boolean;
  isThrottled: boolean;
}

export function s3Failure(error: unknown): S3Failure {
  const { $metadata, $response } = (error ?? {}) as SdkError;
  const status = $metadata?.httpStatusCode;
  const code = codeOf(error as SdkError, status);
  const known = BY_CODE[code] ?? (status === undefined ? undefined : BY_STATUS[status]);
  const region = $response?.headers?.['x-amz-bucket-region'];
  const remedy =
    known?.remedy === REGION && region !== undefined ? `set lake.s3.region to ${region}` : known?.remedy;
  // without a status nothing was answered: a broken connection, a name that was not found, half an answer
  const isServerFault = status === undefined || status >= 500 || status < 300;
  return {
    code,
    status,
    requestId: $metadata?.requestId,
    what: known?.what ?? oneLine((error as SdkError | null)?.message),
    remedy: remedy ?? (isServerFault ? LATER : undefined),
    passes: known === undefined ? isServerFault : known.passes === true,
    isThrottled: THROTTLED.has(code) || status === 503 || status === 429,
  };
}

/** The condition of a write did not hold: something is there. */
export function isTaken(error: unknown): boolean {
  return (error as SdkError)?.$metadata?.httpStatusCode === 412;
}

/** There is no such object; a bucket that is missing is another matter. */
export function isNoObject(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as SdkError;
  return name === 'NoSuchKey' || ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket');
}

/**
 * What is thrown. The SDK's error is not its cause: it holds the request, and with it what the request was signed with.
 */
export function s3Error(
  action: string,
  { code, status, requestId, what, remedy }: S3Failure,
  where: { path: string; endpoint: string | undefined },
): HeadraceError {
  return new HeadraceError('LAKE_IO', `could not ${action}: ${what}`, {
    where: { ...where, code, status, request: requestId },
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** Nothing in the configuration has to change for it to go on: the store is away, slow or full. */
export function isPassingFailure({ code, where }: HeadraceError): boolean {
  if (code !== 'LAKE_IO') return false;
  const meaning = BY_CODE[String(where.code)];
  if (meaning !== undefined) return meaning.passes === true;
  return typeof where.status === 'number' && where.status >= 500 && where.status !== 501;
}

function codeOf(error: SdkError | null, status: number | undefined): string {
  // an aborted request: its own time-out, or the store's end
  if (error?.name === 'AbortError') return 'TimeoutError';
  const { code, name } = error ?? {};
  if (typeof code === 'string' && code in BY_CODE) return code;
  if (typeof name === 'string' && name in BY_CODE) return name;
  const behind = error?.cause as SdkError | undefined;
  if (typeof behind?.code === 'string' && behind.code in BY_CODE) return behind.code;
  if (status !== undefined) return typeof name === 'string' && name !== 'Error' ? name : String(status);
  return typeof code === 'string' ? code : String(name ?? 'Error');
}

function oneLine(message: unknown): string {
  const text = String(message ?? 'unknown').replace(/[\s\p{Cc}]+/gu, ' ');
  return text.length <= MESSAGE_CHARACTERS_MAX ? text : `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…`;
}
