import { z } from 'zod';
import { text } from './fields.js';
import { quote } from './units.js';

/**
 * The address of an object store that speaks S3. Keys in an address end up in logs and process lists, and the bucket has its place
 * in lake.path.
 */
export function s3Endpoint() {
  return text('a URL').transform((url, context) => {
    const problem = endpointProblem(url);
    if (problem === undefined) return url.replace(/\/+$/, '');
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });
}

/** What is wrong with an address, without repeating what may be a secret. */
function endpointProblem(url: string): string | undefined {
  if (url.includes('@')) {
    return 'must hold no keys: set lake.s3.access_key_id_file and lake.s3.secret_access_key_file';
  }
  if (url.includes('?') || url.includes('#')) return 'must end after host, port and path';
  const [, protocol] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url) ?? [];
  if (protocol === undefined) return `${quote(url)} has no protocol: write https://${url}`;
  if (!/^https?$/i.test(protocol)) {
    const hint = protocol.toLowerCase() === 's3' ? '; bucket and prefix belong into lake.path' : '';
    return `must begin with http:// or https://, not ${protocol}://${hint}`;
  }
  return URL.canParse(url) ? undefined : `${quote(url)} is not https://host:port`;
}
