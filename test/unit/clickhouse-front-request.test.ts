import { describe, expect, test } from 'vitest';
import { credentialsOf, readRequest } from '#src/embedded/clickhouse-front-request.js';

function read(search: string, headers: Record<string, string> = {}, method = 'POST') {
  return readRequest(method, new URL(`http://127.0.0.1/?${search}`), headers);
}

test('every parameter of the address that is not known otherwise is a setting', () => {
  const request = read(
    'query=SELECT+1&database=d&query_id=q&default_format=JSON&wait_end_of_query=1&max_threads=2&param_x=a%09b&async_insert=0',
  );
  expect(request).toMatchObject({ query: 'SELECT 1', database: 'd', queryId: 'q', defaultFormat: 'JSON' });
  expect([...request.settings]).toEqual([
    ['max_threads', '2'],
    ['async_insert', '0'],
  ]);
  expect([...request.parameters]).toEqual([['x', 'a\tb']]);
  expect(request.session).toBeNull();
});

test('a session has its time, and may be expected to be there', () => {
  expect(read('session_id=s').session).toEqual({ id: 's', timeoutSeconds: 60, isExpected: false });
  expect(read('session_id=s&session_timeout=5&session_check=1').session).toEqual({
    id: 's',
    timeoutSeconds: 5,
    isExpected: true,
  });
  expect(() => read('session_id=s&session_timeout=soon')).toThrow(/Invalid session timeout/);
  expect(() => read('session_id=s&session_timeout=99999')).toThrow(/Invalid session timeout/);
});

test('GET reads only', () => {
  expect(read('', {}, 'GET').isReadOnly).toBe(true);
  expect(read('', {}, 'POST').isReadOnly).toBe(false);
});

test('compression is what the headers say; what the front cannot undo is refused', () => {
  expect(read('', { 'content-encoding': 'GZIP' }).bodyCompression).toBe('gzip');
  expect(read('').bodyCompression).toBe('none');
  expect(() => read('', { 'content-encoding': 'morse' })).toThrow(/Content-Encoding morse/);
  expect(() => read('decompress=1')).toThrow(/does not take decompress=1/);
  expect(read('decompress=0').settings.size).toBe(0);
  expect(() => read('', { 'content-type': 'multipart/form-data; boundary=x' })).toThrow(/several parts/);
});

test('an answer is compressed when the address and the headers want it', () => {
  const headers = { 'accept-encoding': 'deflate, gzip' };
  expect(read('enable_http_compression=1', headers).isGzipWanted).toBe(true);
  expect(read('enable_http_compression=1').isGzipWanted).toBe(false);
  expect(read('', headers).isGzipWanted).toBe(false);
});

describe('who asks', () => {
  const who = (search: string, headers: Record<string, string> = {}) =>
    credentialsOf(new URL(`http://127.0.0.1/?${search}`), headers);
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  test.each([
    ['', {}, 'default', ''],
    ['user=u&password=p', {}, 'u', 'p'],
    ['', { 'x-clickhouse-user': 'u', 'x-clickhouse-key': 'p' }, 'u', 'p'],
    ['', basic('u:p:q'), 'u', 'p:q'],
    ['', basic('u'), 'u', ''],
    ['', basic(':p'), 'default', 'p'],
  ])('%j %j', (search, headers, user, password) => {
    expect(who(search, headers)).toEqual({ user, password });
  });
});
