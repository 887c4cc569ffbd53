import { Agent, get } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { EventStreams } from '#src/http/event-streams.js';
import { HttpListener, type ListenerOptions, TEXT } from '#src/http/listener.js';
import { rawExchange, statusOf } from '../support/raw-http.js';

/** Hostile requests over real sockets: each is refused or bounded, and nothing of them reaches a route. */
const TOKEN = 'a-token-of-some-length';
let listener: HttpListener;
let guarded: HttpListener;
let asked = 0;
let changed = 0;
const errors: unknown[] = [];

function options(more: Partial<ListenerOptions> = {}): ListenerOptions {
  return {
    host: '127.0.0.1',
    port: 20_000 + (process.pid % 20_000),
    mayMove: true,
    connectionsMax: 32,
    guard: { hosts: ['metrics.internal'], token: null, openPaths: [] },
    routes: new Map([
      [
        '/here',
        () => {
          asked++;
          return { status: 200, type: TEXT, body: 'here\n' };
        },
      ],
      [
        '/fails',
        () => {
          throw new Error('a secret of the inside');
        },
      ],
    ]),
    changes: new Map([
      [
        '/change',
        (_, query) => {
          changed++;
          return { status: 200, type: TEXT, body: `changed ${query.get('to')}\n` };
        },
      ],
    ]),
    onError: (error) => errors.push(error),
    ...more,
  };
}

beforeAll(async () => {
  listener = await HttpListener.open(options());
  guarded = await HttpListener.open(options({ guard: { hosts: [], token: TOKEN, openPaths: ['/live'] } }));
});

afterAll(async () => {
  await listener.close();
  await guarded.close();
});

const getting = (path: string, headers = 'Host: localhost') =>
  `GET ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`;
const post = (headers: string, path = '/change') =>
  `POST ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`;
const OURS = 'Host: localhost:8787\r\nOrigin: http://localhost:8787';
const request = (method: string, headers = '') =>
  `${method} /here HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

const HOSTILE: [what: string, bytes: string, status: (number | null)[]][] = [
  ['a folder above', getting('/../../etc/passwd'), [404]],
  ['a folder above, encoded', getting('/%2e%2e/%2e%2e/etc/passwd'), [404]],
  ['a folder above, twice encoded', getting('/%252e%252e/etc/passwd'), [404]],
  ['a folder above with backslashes', getting('/..\\..\\etc\\passwd'), [404]],
  ['a path with a zero byte', getting('/here%00.html'), [404]],
  ['a known path with something behind it', getting('/here/'), [404]],
  ['a known path in capitals', getting('/HERE'), [404]],
  ['a whole URL of another host', getting('http://evil.example/here'), [404]],
  ['a name of the prototype', getting('/__proto__'), [404]],
  ['a name of objects', getting('/constructor'), [404]],
  ['no Host', 'GET /here HTTP/1.1\r\nConnection: close\r\n\r\n', [400]],
  ['no Host in HTTP/1.0', 'GET /here HTTP/1.0\r\n\r\n', [400]],
  ['an empty Host', getting('/here', 'Host:'), [400]],
  ['a Host that is elsewhere', getting('/here', 'Host: evil.example'), [403]],
  ['a Host that begins as ours', getting('/here', 'Host: localhost.evil.example'), [403]],
  ['a Host that ends as ours', getting('/here', 'Host: evil-localhost'), [403]],
  ['a Host with a user', getting('/here', 'Host: localhost@evil.example'), [400]],
  ['two Hosts', getting('/here', 'Host: localhost\r\nHost: evil.example'), [400, 200]],
  ['a Host that is a name for this machine elsewhere', getting('/here', 'Host: 127.0.0.1.nip.io'), [403]],
  ['an Origin that is elsewhere', getting('/here', 'Host: localhost\r\nOrigin: https://evil.example'), [403]],
  ['no Origin at all', getting('/here', 'Host: localhost\r\nOrigin: null'), [403]],
  ['an Origin on another port', getting('/here', 'Host: localhost:1\r\nOrigin: http://localhost:2'), [403]],
  ['POST', request('POST', 'Connection: close\r\n'), [405]],
  ['PUT with a body', `${request('PUT', 'Content-Length: 5\r\n')}hello`, [405]],
  ['DELETE', request('DELETE', 'Connection: close\r\n'), [405]],
  ['PATCH', request('PATCH', 'Connection: close\r\n'), [405]],
  ['OPTIONS', request('OPTIONS', 'Origin: https://evil.example\r\nConnection: close\r\n'), [405]],
  ['TRACE', request('TRACE', 'Connection: close\r\n'), [405]],
  ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n', [null]],
  ['a method that is none', request('FETCH', 'Connection: close\r\n'), [400]],
  ['GET with a body of 100 MB announced', request('GET', 'Content-Length: 104857600\r\n'), [413]],
  ['GET with a body in chunks', `${request('GET', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n`, [413]],
  ['GET that asks whether to send', request('GET', 'Content-Length: 9\r\nExpect: 100-continue\r\n'), [413]],
  [
    'both lengths (smuggling)',
    `${request('POST', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`,
    [400, 405],
  ],
  ['a length that is none', request('GET', 'Content-Length: -1\r\n'), [400]],
  ['a header of 20 KB', getting('/here', `Host: localhost\r\nX-Long: ${'x'.repeat(20_000)}`), [400, 431]],
  ['a path of 20 KB', getting(`/${'x'.repeat(20_000)}`), [400, 431]],
  ['a header with a line break', getting('/here', 'Host: localhost\r\nX: a\rb'), [400]],
  ['a header without a colon', getting('/here', 'Host: localhost\r\nnonsense'), [400]],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', [400]],
  ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['nonsense', '\u0000\u0001\u0002\r\n\r\n', [400]],
];

function statusBy(agent: Agent, address: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(address, { agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}

describe('a hostile request is refused', () => {
  it.each(HOSTILE.filter(([, , status]) => !status.includes(200)))('%s', async (_, bytes, status) => {
    const before = asked;
    const { answer, ended } = await rawExchange(listener.url, Buffer.from(bytes, 'latin1'));
    expect(status).toContain(statusOf(answer));
    expect(ended).toBe(true);
    expect(answer).not.toMatch(/root:|evil|stack|node:/);
    expect(asked).toBe(before);
  });

  it('they are forty and more', () => {
    expect(HOSTILE.length).toBeGreaterThan(40);
  });

  it.each([
    ['by GET', getting('/change?to=1', OURS), 405],
    ['by HEAD', getting('/change', OURS).replace('GET', 'HEAD'), 405],
    ['by PUT', post(OURS).replace('POST', 'PUT'), 405],
    ['by a page elsewhere', post('Host: localhost\r\nOrigin: https://evil.example'), 403],
    ['by a page on another port', post('Host: localhost:8787\r\nOrigin: http://localhost:9999'), 403],
    ['by a page without an origin', post('Host: localhost\r\nOrigin: null'), 403],
    ['without a word on who asks', post('Host: localhost'), 403],
    [
      'from a name that was made to point here',
      post('Host: evil.example\r\nOrigin: http://evil.example'),
      403,
    ],
    [
      'of a browser that says that it comes from elsewhere',
      post(`${OURS}\r\nSec-Fetch-Site: cross-site`),
      403,
    ],
    ['of a browser on the same site', post(`${OURS}\r\nSec-Fetch-Site: same-site`), 403],
    ['with a body', `${post(`${OURS}\r\nContent-Length: 5`)}to=11`, 413],
    ['with a body in chunks', `${post(`${OURS}\r\nTransfer-Encoding: chunked`)}0\r\n\r\n`, 413],
    ['at a path that changes nothing', post(OURS, '/here'), 405],
  ])('a change asked for %s', async (_, bytes, status) => {
    const { answer } = await rawExchange(listener.url, bytes);
    expect(statusOf(answer)).toBe(status);
    expect(changed).toBe(0);
  });

  it('a change without the token, where one is set', async () => {
    expect(statusOf((await rawExchange(guarded.url, post(OURS))).answer)).toBe(401);
    expect(changed).toBe(0);
  });

  it('of several Hosts the first counts, and it must be ours', async () => {
    const second = await rawExchange(listener.url, getting('/here', 'Host: evil.example\r\nHost: localhost'));
    expect([400, 403]).toContain(statusOf(second.answer));
  });

  it('headers sent byte by byte end after seconds, and others are served meanwhile', async () => {
    const slow = rawExchange(listener.url, 'GET /here HTTP/1.1\r\nHost: local', 20_000);
    expect((await fetch(`${listener.url}/here`)).status).toBe(200);
    expect(await slow).toMatchObject({ ended: true });
  });

  it('more connections than there may be are closed, and room comes back when they end', async () => {
    const waiting = Array.from({ length: 100 }, () =>
      rawExchange(listener.url, 'GET /here HTTP/1.1\r\n', 30_000),
    );
    const ended = await Promise.all(waiting);
    expect(ended.every((each) => each.ended)).toBe(true);
    expect((await fetch(`${listener.url}/here`)).status).toBe(200);
  });

  it('ten thousand streams: a few are served, all others refused, and room comes back', async () => {
    const streams = new EventStreams({ streamsMax: 4, intervalMs: 1_000, clock: systemClock });
    const feed = { first: () => 'now', next: () => null };
    const streaming = await HttpListener.open(
      options({
        connectionsMax: 300,
        routes: new Map([['/stream', (response) => streams.add(response, feed)]]),
      }),
    );
    const controller = new AbortController();
    const open = () => fetch(`${streaming.url}/stream`, { signal: controller.signal });
    const served = await Promise.all(Array.from({ length: 4 }, open));
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const agent = new Agent({ keepAlive: true, maxSockets: 250 });
    const refused = await Promise.all(
      Array.from({ length: 10_000 }, () => statusBy(agent, `${streaming.url}/stream`)),
    );
    expect(new Set(refused)).toEqual(new Set([503]));
    agent.destroy();
    expect(streams.open).toBe(4);
    controller.abort();
    await expect.poll(() => streams.open, { timeout: 20_000 }).toBe(0);
    streams.close();
    await streaming.close();
  });

  it('what fails inside is told to the log, not to who asked', async () => {
    const response = await fetch(`${listener.url}/fails`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/secret/);
    expect(errors.map(String)).toContainEqual(expect.stringMatching(/secret of the inside/));
  });
});

describe('a good request', () => {
  it('is answered with headers that forbid everything else', async () => {
    const response = await fetch(`${listener.url}/here?x=1`);
    expect(await response.text()).toBe('here\n');
    expect(response.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may come by a name that was allowed, and as HEAD', async () => {
    const named = await rawExchange(listener.url, getting('/here', 'Host: Metrics.Internal:443'));
    expect(statusOf(named.answer)).toBe(200);
    const head = await fetch(`${listener.url}/here`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  it('may change something by POST, from our own page, with the token', async () => {
    const before = changed;
    const { answer } = await rawExchange(
      listener.url,
      post(`${OURS}\r\nSec-Fetch-Site: same-origin`, '/change?to=a%26b'),
    );
    expect([statusOf(answer), /changed .*/.exec(answer)?.[0]]).toEqual([200, 'changed a&b']);
    const headers = { origin: guarded.url, authorization: `Bearer ${TOKEN}` };
    expect((await fetch(`${guarded.url}/change`, { method: 'POST', headers })).status).toBe(200);
    expect(changed).toBe(before + 2);
  });

  it('needs the token where one is set, as a bearer or as a password', async () => {
    const status = async (path: string, authorization?: string) =>
      (
        await fetch(
          `${guarded.url}${path}`,
          authorization === undefined ? {} : { headers: { authorization } },
        )
      ).status;
    const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
    expect(await status('/here')).toBe(401);
    expect(await status('/here', `Bearer ${TOKEN}x`)).toBe(401);
    expect(await status('/here', basic(''))).toBe(401);
    expect(await status('/here', `Bearer ${TOKEN}`)).toBe(200);
    expect(await status('/here', basic(TOKEN))).toBe(200);
    expect(await status('/live')).toBe(404);
  });
});

describe('the port', () => {
  it('is the next free one where it may move, and a failure with what to do where not', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const moved = await HttpListener.open(options({ port }));
    expect(Number(new URL(moved.url).port)).toBeGreaterThan(port);
    await moved.close();
    await expect(HttpListener.open(options({ port, mayMove: false }))).rejects.toMatchObject({
      code: 'HTTP_LISTEN',
      exitCode: 78,
      remedy: expect.stringMatching(/--http/),
    });
    await new Promise((resolve) => taken.close(resolve));
  });
});
