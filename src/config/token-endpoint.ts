import { z } from 'zod';
import { text } from './fields.js';
import { quote } from './units.js';

/** Where tokens come from: https, or http on the machine itself, as a secret goes there. */
export function tokenEndpoint() {
  return text('a URL').transform((url, context) => {
    const problem = endpointProblem(url);
    if (problem === undefined) return url;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** What is wrong with an address, without repeating what may be a secret. */
function endpointProblem(url: string): string | undefined {
  if (url.includes('@')) return 'must hold no secret: set client_id and client_secret_file beside it';
  if (!URL.canParse(url)) return `${quote(url)} is not https://host/path`;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return `must begin with https://, not ${protocol}//`;
  return LOOPBACK.test(hostname) ? undefined : 'must begin with https://: the client secret goes there';
}
