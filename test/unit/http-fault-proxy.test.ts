import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpFaultProxy, isInsert, startHttpFaultProxy } from '../support/http-fault-proxy.js';

let server: Server;
let proxy: HttpFaultProxy;
/** Bodies that the server has received whole. */
let bodies: string[];
let address: string;

async function startServer(name: string): Promise<[Server, string]> {
  const started = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('error', () => {});
    message.once('end', () => {
      bodies.push(Buffer.concat(chunks).toString());
      response.end(`${name} has it`);
    });
  });
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done));
  return [started, `http://127.0.0.1:${(started.address() as AddressInfo).port}`];
}

beforeEach(async () => {
  bodies = [];
  [server, address] = await startServer('first');
  proxy = await startHttpFaultProxy(address);
});

afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  server.close();
});

async function post(body: string, path = '/'): Promise<string> {
  const answer = await fetch(proxy.url + path, { method: 'POST', body });
  return `${answer.status} ${await answer.text()}`;
}

test('what no fault fits is passed on both ways', async () => {
  expect(await post('a', '/?query=INSERT&x=1')).toBe('200 first has it');
  expect(bodies).toEqual(['a']);
  expect(proxy.seen.map(({ method, query }) => [method, query])).toEqual([['POST', 'INSERT']]);
  expect(proxy.seen[0]!.parameters.get('x')).toBe('1');
  expect(proxy.seen.every(isInsert)).toBe(true);
});

test('a dropped answer is one that the server has given', async () => {
  const fault = proxy.inject({ kind: 'drop-answer' });
  await expect(post('a')).rejects.toThrow();
  await fault.struck;
  expect(bodies).toEqual(['a']);
  expect(await post('b')).toBe('200 first has it');
  expect(fault.hits).toBe(1);
});

test('a cut answer ends in the middle', async () => {
  proxy.inject({ kind: 'cut-answer' });
  await expect(post('a')).rejects.toThrow();
  expect(bodies).toEqual(['a']);
});

test('an answer of its own keeps the request from the server, as often as asked and where it fits', async () => {
  proxy.inject({ kind: 'answer', body: 'no' }, { times: 2, when: isInsert });
  expect(await post('a', '/?query=SELECT')).toBe('200 first has it');
  expect(await post('b', '/?query=INSERT')).toBe('500 no');
  expect(await post('c', '/?query=INSERT')).toBe('500 no');
  expect(await post('d', '/?query=INSERT')).toBe('200 first has it');
  expect(bodies).toEqual(['a', 'd']);
});

test('a body that is reset in the middle never arrives whole', async () => {
  proxy.inject({ kind: 'reset-body', afterBytes: 10 });
  proxy.inject({ kind: 'reset-body', afterBytes: 10 });
  await expect(post('x'.repeat(1_000_000))).rejects.toThrow();
  await expect(post('short')).rejects.toThrow();
  expect(bodies).toEqual([]);
});

test('what is held goes on when it is released, and a delay passes it on in the end', async () => {
  const held = proxy.inject({ kind: 'hold' });
  const answer = post('a');
  await held.struck;
  proxy.inject({ kind: 'delay', ms: 1 });
  expect(await post('b')).toBe('200 first has it');
  expect(bodies).toEqual(['b']);
  held.release();
  expect(await answer).toBe('200 first has it');
  expect(bodies).toEqual(['b', 'a']);
});

test('refused connections are accepted again at the same address, before another server', async () => {
  const [second, secondAddress] = await startServer('second');
  try {
    const { url } = proxy;
    await proxy.refuse();
    await expect(post('a')).rejects.toThrow();
    proxy.setUpstream(secondAddress);
    await proxy.accept();
    expect(proxy.url).toBe(url);
    expect(await post('b')).toBe('200 second has it');
  } finally {
    second.closeAllConnections();
    second.close();
  }
});

test('a server that is gone looks like one that resets the connection', async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await expect(post('a')).rejects.toThrow();
});
