import { afterEach, describe, expect, it, vi } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { createLog, type Log, type LogFormat, type LogLevel } from '#src/telemetry/log.js';
import { describeError, plainFields } from '#src/telemetry/log-fields.js';

const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const clock = { nowMs: () => AT_MS, monotonicMs: () => 0, sleep: async () => {} };

function recorded(
  level: LogLevel,
  format: LogFormat = 'json',
  terminal = false,
): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLog({ level, format, terminal, destination, clock }), lines };
}
const json = (lines: string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

afterEach(() => vi.unstubAllEnvs());

describe('the log', () => {
  it('is one JSON object a line where it is no terminal', () => {
    const { log, lines } = recorded('info', 'auto');
    log.child({ partition: 3 }).warn({ offset: 12n, broker: 'b:9092' }, 'fetching again');
    expect(json(lines)).toEqual([
      {
        level: 'warn',
        time: '2026-01-02T03:04:05.006Z',
        partition: 3,
        offset: 12,
        broker: 'b:9092',
        message: 'fetching again',
      },
    ]);
    expect(lines[0]!.endsWith('}\n')).toBe(true);
  });

  it('is readable on a terminal, on one line, at once', () => {
    vi.stubEnv('NO_COLOR', '1');
    const { log, lines } = recorded('info', 'auto', true);
    log.info({ topic: 'clicks', error: new Error('x') }, 'starting');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.006\] INFO: starting \{"topic":"clicks","error":"x"\}\n$/);
  });

  it('has colours on a terminal only, and not with NO_COLOR', () => {
    const coloured = (terminal: boolean, noColor: string) => {
      vi.stubEnv('NO_COLOR', noColor);
      const { log, lines } = recorded('info', 'pretty', terminal);
      log.info({}, 'x');
      return lines[0]!.includes('\u001b[');
    };
    expect([coloured(true, ''), coloured(true, '1'), coloured(false, '')]).toEqual([true, false, false]);
  });

  it('leaves out what lies below its level', () => {
    const { log, lines } = recorded('warn');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) log[level]({}, level);
    expect(json(lines).map(({ level }) => level)).toEqual(['warn', 'error']);
  });

  it('never shows what looks like a secret, however deep', () => {
    const { log, lines } = recorded('info');
    const secrets = {
      password: 'hunter2',
      librdkafka: { 'sasl.password': 'hunter2', 'ssl.key.pem': 'hunter2', debug: 'cgrp' },
      s3: [{ secret_access_key: 'hunter2', accessKeyId: 'hunter2' }],
      Authorization: 'hunter2',
      auth_token: 'hunter2',
    };
    log.info(secrets, 'starting');
    log.child(secrets).info({}, 'child');
    expect(lines.join('')).not.toMatch(/hunter2/);
    expect(json(lines)[0]).toMatchObject({ password: '[redacted]', librdkafka: { debug: 'cgrp' } });
  });

  it('shows a session’s key', () => {
    expect(plainFields({ key: 'user-1' }, false)).toEqual({ key: 'user-1' });
  });

  it('writes an error as one line of what, where, what now, what to do', () => {
    const { log, lines } = recorded('info');
    const error = new HeadraceError('BATCH_CORRUPT', 'CRC differs', {
      where: { topic: 't', partition: 3, offset: 12n },
      remedy: 'look at the broker’s disk',
    });
    log.error({ error }, 'a lane halts');
    expect(json(lines)[0]).toMatchObject({
      error:
        'BATCH_CORRUPT: CRC differs (topic=t partition=3 offset=12); the lane stands still, others go on' +
        ' — look at the broker’s disk',
    });
    expect(json(lines)[0]).not.toHaveProperty('error_stack');
  });

  it('adds the stack of an error at debug', () => {
    const { log, lines } = recorded('debug');
    log.error({ error: new Error('x') }, 'failed');
    expect(json(lines)[0]).toMatchObject({ error: 'x', error_stack: expect.stringContaining('    at ') });
  });

  it('bounds what it writes, and survives what JSON does not', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop.self = loop;
    const { log, lines } = recorded('info');
    log.info(
      {
        loop,
        bytes: new Uint8Array(1e6),
        long: 'x'.repeat(1e6),
        many: Array.from({ length: 1e5 }, (_, i) => i),
        big: 2n ** 63n - 1n,
        call: () => 1,
        none: null,
        when: new Date(Number.NaN),
        map: new Map([['token', 'hunter2']]),
      },
      'odd things',
    );
    expect(lines[0]!.length).toBeLessThan(10_000);
    expect(json(lines)[0]).toMatchObject({
      bytes: '<1000000 bytes>',
      big: '9223372036854775807',
      call: '<function>',
      none: null,
      map: { token: '[redacted]' },
    });
  });

  it('tells the cause of an error, and says what happens with each kind', () => {
    const error = new HeadraceError('KAFKA_UNREACHABLE', 'no broker answers', {
      cause: new Error('ECONNREFUSED'),
    });
    expect(describeError(error)).toBe('KAFKA_UNREACHABLE: no broker answers: ECONNREFUSED; trying again');
    expect(describeError('thrown text')).toBe('thrown text');
  });
});
