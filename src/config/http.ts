import { z } from 'zod';
import { count, kindOf, section, text } from './fields.js';
import type { Problem } from './problems.js';
import type { HttpConfig } from './types.js';
import { quote } from './units.js';

/** The section `http`: where /metrics, /live, /ready and the page are. */

/** Taken, without being asked for, the next free one is. */
export const HTTP_PORT = 8_787;
const LOOPBACK_HOST = '127.0.0.1';

export interface Listen {
  host: string;
  /** Null: HTTP_PORT, or the next free one. */
  port: number | null;
}

export const http = section({
  listen: listen().prefault('auto'),
  token_file: text('a file').optional(),
  hosts: z
    .array(
      text('a host name', {
        pattern: /^[A-Za-z0-9.-]{1,253}$/,
        says: 'must be a host name without protocol and port',
      }),
      { error: ({ input }) => `must be a list of host names, not ${kindOf(input)}` },
    )
    .prefault([]),
  connections_max: count(8, 1_024).prefault(64),
  streams_max: count(1, 256).prefault(16),
}).prefault({});

/** auto, off, or host:port. */
function listen() {
  return text('auto, off or host:port').transform((input, context): Listen | 'off' => {
    if (input === 'off') return 'off';
    if (input === 'auto') return { host: LOOPBACK_HOST, port: null };
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(input);
    const port = Number(match?.[2]);
    if (match !== null && port >= 1 && port <= 65_535)
      return { host: match[1]!.replace(/^\[|\]$/g, ''), port };
    context.addIssue({
      code: 'custom',
      message: `must be auto, off or host:port such as 127.0.0.1:${HTTP_PORT}, not ${quote(input)}`,
    });
    return z.NEVER;
  });
}

/** Null: nothing listens. `tokenAt`: the token file's absolute path. */
export function toHttpConfig(
  file: z.output<typeof http>,
  tokenAt: (file: string) => string,
): HttpConfig | null {
  if (file.listen === 'off') return null;
  return {
    ...file.listen,
    tokenFile: file.token_file === undefined ? null : tokenAt(file.token_file),
    hosts: file.hosts.map((host) => host.toLowerCase()),
    connectionsMax: file.connections_max,
    streamsMax: file.streams_max,
  };
}

/** What others can reach asks them who they are; and streams leave room for who asks for something else. */
export function httpProblems(http: HttpConfig | null): Problem[] {
  if (http === null) return [];
  const problems: Problem[] = [];
  if (!isLoopback(http.host) && http.tokenFile === null) {
    problems.push({
      path: 'http.listen',
      message: `${quote(http.host)} can be reached by other machines: set http.token_file too, or listen on ${LOOPBACK_HOST}`,
    });
  }
  if (http.streamsMax > http.connectionsMax / 2) {
    problems.push({ path: 'http.streams_max', message: 'must be at most half of http.connections_max' });
  }
  return problems;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
