import { HeadraceError, messageOf } from '../../errors.js';
import type { Readiness } from '../../metrics/readiness.js';
import { type Sample, samplesOf } from '../prometheus-text.js';

/** What an engine says of itself over HTTP: /metrics and /ready, as scrapers and supervisors ask it. */
export interface EngineAnswer {
  url: string;
  samples: Sample[];
  readiness: Readiness;
}

const ANSWER_MS_MAX = 5_000;
/** An engine's answer is bounded: some 2 MB of 1000 lanes. What says more is none. */
const ANSWER_BYTES_MAX = 16 * 2 ** 20;
/** Every engine tells it, before it has lanes too. */
const OWN_METRIC = 'headrace_ready';

/**
 * `url`: without a slash at its end. Throws HeadraceError ENGINE_UNREACHABLE (exit 75), ENGINE_AUTH (75), NOT_AN_ENGINE (69),
 * each naming the url and never the token.
 */
export async function askEngine(url: string, token: string | null): Promise<EngineAnswer> {
  const metrics = await get(url, '/metrics', token);
  refuseStatus(url, metrics, token);
  const samples = metrics.status === 200 ? samplesOf(metrics.text) : [];
  if (!samples.some(({ name }) => name === OWN_METRIC)) throw notAnEngine(url, metrics.status);
  const ready = await get(url, '/ready', token);
  refuseStatus(url, ready, token, [200, 503]);
  return { url, samples, readiness: readinessIn(url, ready) };
}

interface Got {
  status: number;
  text: string;
  /** What a 401 asks for. */
  challenge: string;
}

async function get(url: string, path: string, token: string | null): Promise<Got> {
  try {
    const answer = await fetch(`${url}${path}`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      redirect: 'manual',
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
    const challenge = answer.headers.get('www-authenticate') ?? '';
    return { status: answer.status, text: await textOf(answer), challenge };
  } catch (error) {
    if (error instanceof TooMuch || isNoHttp(error)) throw notAnEngine(url, null);
    throw unreachable(url, reasonOf(error));
  }
}

class TooMuch extends Error {}

async function textOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new TooMuch();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refuseStatus(
  url: string,
  { status, text, challenge }: Got,
  token: string | null,
  fine: readonly number[] = [200],
): void {
  if (fine.includes(status)) return;
  if (status === 401 && challenge.includes('"headrace"')) {
    const what =
      token === null ? 'the engine asks for a token' : 'the token is not the one that the engine asks for';
    throw new HeadraceError('ENGINE_AUTH', what, {
      where: { url },
      remedy:
        'name the file that its http.token_file names: --token-file FILE, or --config with the engine’s file',
    });
  }
  if (status === 403 && text.includes('http.hosts')) {
    throw new HeadraceError('ENGINE_AUTH', 'the engine does not know itself by this name', {
      where: { url },
      remedy: 'ask it by the address of its http.listen, or add the name to http.hosts',
    });
  }
  if (status >= 500) throw unreachable(url, `status ${status}`);
}

function readinessIn(url: string, { status, text }: Got): Readiness {
  try {
    const { ready, reasons, warnings } = JSON.parse(text) as Partial<Readiness>;
    const isText = (each: unknown) => typeof each === 'string';
    if (typeof ready === 'boolean' && reasons?.every(isText) === true && warnings?.every(isText) === true)
      return { ready, reasons, warnings };
  } catch {
    // what is no JSON was said by somebody else
  }
  throw notAnEngine(url, status);
}

function unreachable(url: string, why: string): HeadraceError {
  return new HeadraceError('ENGINE_UNREACHABLE', `no engine answers: ${why}`, {
    where: { url },
    remedy:
      'does it run, and is this its address? Its log says it at the start (metrics, health and page), http.listen sets it',
  });
}

function notAnEngine(url: string, status: number | null): HeadraceError {
  const what = status === null ? 'what answers there speaks no HTTP' : `status ${status}`;
  return new HeadraceError('NOT_AN_ENGINE', `something else than an engine of headrace answers: ${what}`, {
    where: { url },
    remedy: 'give the address that the engine’s log names (metrics, health and page)',
  });
}

/** The library's own words are "fetch failed"; what it was stands behind. */
function reasonOf(error: unknown): string {
  if ((error as { name?: unknown }).name === 'TimeoutError')
    return `nothing within ${ANSWER_MS_MAX / 1_000} s`;
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : messageOf(cause ?? error);
}

/** Bytes that are no answer of HTTP. */
function isNoHttp(error: unknown): boolean {
  const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && code.startsWith('HPE_');
}
