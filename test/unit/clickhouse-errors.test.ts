import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseError } from '@clickhouse/client';
import { describe, expect, it } from 'vitest';
import { asClickHouseError, isUnknownOutcome } from '#src/clickhouse/errors.js';
import { type ClickHouseTarget, openClickHouse } from '#src/clickhouse/target.js';
import { HeadraceError } from '#src/errors.js';
import { CLICKHOUSE_DEFAULTS } from '../support/clickhouse-defaults.js';

const WHERE = {
  url: 'http://ch:8123',
  database: 'clicks',
  table: 'session_metrics',
  user: 'headrace',
  path: 'p/1.parquet',
};

function answered(code: number, message = 'words of ClickHouse', type = 'TYPE'): ClickHouseError {
  return new ClickHouseError({ code: String(code), type, message });
}

describe('what ClickHouse answers', () => {
  /** Its code, the code here, what the line must say, and whether the rows may be in. */
  const answers: [number, HeadraceError['code'], RegExp, boolean][] = [
    [516, 'CLICKHOUSE_AUTH', /does not let the user headrace in: .* — .*clickhouse\.password_file/, false],
    [81, 'CLICKHOUSE_REFUSED', /no database clicks .* — run `headrace clickhouse migrate`/, false],
    [60, 'CLICKHOUSE_REFUSED', /a table is missing .* — run `headrace clickhouse migrate`/, false],
    [
      16,
      'CLICKHOUSE_REFUSED',
      /clicks\.session_metrics lacks a column: words .* — run `headrace clickhouse migrate`/,
      false,
    ],
    [53, 'CLICKHOUSE_REFUSED', /column of another type than the model: words .* — .*--dry-run/, false],
    [6, 'CLICKHOUSE_REFUSED', /column of another type/, false],
    [27, 'CLICKHOUSE_REFUSED', /column of another type/, false],
    [349, 'CLICKHOUSE_REFUSED', /column of another type/, false],
    [117, 'CLICKHOUSE_REFUSED', /can't read the file .*path=p\/1\.parquet/, false],
    [164, 'CLICKHOUSE_REFUSED', /headrace may only read .* — take readonly/, false],
    [497, 'CLICKHOUSE_REFUSED', /does not allow it: words .* — GRANT/, false],
    [452, 'CLICKHOUSE_REFUSED', /profile forbids a setting/, false],
    [115, 'CLICKHOUSE_REFUSED', /does not know a setting: .* — take it out of clickhouse\.settings/, false],
    [202, 'CLICKHOUSE_REFUSED', /busy: .*max_concurrent_queries/, false],
    [243, 'CLICKHOUSE_REFUSED', /disk of ClickHouse is full .* — make room/, true],
    [241, 'CLICKHOUSE_REFUSED', /memory limit: .* — raise max_memory_usage/, true],
    [252, 'CLICKHOUSE_REFUSED', /merges more slowly .* — raise cut_interval/, true],
    [159, 'CLICKHOUSE_REFUSED', /took too long/, true],
    [209, 'CLICKHOUSE_REFUSED', /took too long/, true],
    [999, 'CLICKHOUSE_REFUSED', /keeper/, true],
    [425, 'CLICKHOUSE_REFUSED', /ClickHouse refused: words/, true],
    [31_337, 'CLICKHOUSE_REFUSED', /ClickHouse refused: words of ClickHouse .*error=31337 TYPE/, true],
  ];

  it.each(answers)('error %i is %s', (number, code, says, unknown) => {
    const told = asClickHouseError(answered(number), WHERE);
    expect(told.code).toBe(code);
    expect(told.disposition).toBe('retry');
    expect(told.toString()).toMatch(says);
    expect(told.toString()).not.toContain('\n');
    expect([isUnknownOutcome(answered(number)), isUnknownOutcome(told)]).toEqual([unknown, unknown]);
  });

  it('a refusal from within a view names the view, and the table may have the rows all the same', () => {
    const message =
      "Cannot parse string 'x' as UInt32: while executing 'FUNCTION toUInt32(page)': while pushing to view clicks.by_day (5b0a). ";
    for (const number of [6, 395, 60]) {
      const told = asClickHouseError(answered(number, message), WHERE);
      expect(told.toString()).toContain(
        'the materialized view clicks.by_day fails and takes the insert with it',
      );
      expect(told.remedy).toContain('DROP VIEW clicks.by_day');
      expect(isUnknownOutcome(told)).toBe(true);
    }
    const quoted = asClickHouseError(
      answered(6, 'Boom: while pushing to view `my db`.`by day` (5b0a)'),
      WHERE,
    );
    expect(quoted.remedy).toContain('DROP VIEW `my db`.`by day`)');
  });

  it('a full disk is one whatever its number', () => {
    const told = asClickHouseError(
      answered(425, 'Cannot write: errno: 28, strerror: No space left on device'),
    );
    expect(told.message).toBe('the disk of ClickHouse is full');
    expect(isUnknownOutcome(told)).toBe(true);
  });

  it('its words are shown on one line, without what is the same in all, and not without end', () => {
    const long = `Code: 425. DB::Exception: first\n  second (version 26.7.2.1 (official build)) ${'x'.repeat(5_000)}`;
    const told = asClickHouseError(answered(425, long), {}).toString();
    expect(told).toContain('ClickHouse refused: first second');
    expect(told.length).toBeLessThan(700);
  });

  it('an error of ours stays what it is, and without a cause nothing was sent', () => {
    const own = new HeadraceError('CONFIG_INVALID', 'no password');
    expect(asClickHouseError(own, WHERE)).toBe(own);
    expect(isUnknownOutcome(own)).toBe(false);
  });
});

describe('the way to ClickHouse', () => {
  const broken: [string, Error, RegExp, boolean][] = [
    ['refused', system('ECONNREFUSED'), /nothing listens there \(ECONNREFUSED\).* — start it/, false],
    ['a name that is none', system('ENOTFOUND'), /no host of that name/, false],
    ['a name service that is down', system('EAI_AGAIN'), /name service does not answer/, false],
    ['no way', system('EHOSTUNREACH'), /no way to that host/, false],
    [
      'a certificate of its own',
      system('DEPTH_ZERO_SELF_SIGNED_CERT'),
      /certificate that is not trusted.*clickhouse\.ca_file/,
      false,
    ],
    [
      'a certificate that is asked for',
      system('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
      /asks for a certificate.*clickhouse\.cert_file/,
      false,
    ],
    ['a certificate of another name', system('ERR_TLS_CERT_ALTNAME_INVALID'), /not trusted/, false],
    ['no TLS', system('EPROTO'), /does not speak TLS at that port.*8443/, false],
    ['no HTTP', system('HPE_INVALID_CONSTANT'), /does not speak HTTP at that port.*8123/, false],
    [
      'the port of the other protocol',
      new Error('Port 9000 is for clickhouse-client program'),
      /does not speak HTTP/,
      false,
    ],
    ['no answer in time', new Error('Timeout error.'), /no answer in time.*request_timeout/, true],
    ['a connection that broke', system('ECONNRESET'), /broke the connection off \(ECONNRESET\)/, true],
    ['a connection that ended', new Error('socket hang up'), /broke the connection off \(ECONNRESET\)/, true],
    ['a request given up', new Error('The user aborted a request.'), /was not waited for any longer/, true],
    [
      'a proxy',
      new Error('<html><body>502\nBad Gateway</body></html>'),
      /not ClickHouse's: <html><body>502 Bad/,
      true,
    ],
  ];

  it.each(broken)('%s is CLICKHOUSE_UNREACHABLE with what to do', (_, error, says, unknown) => {
    const told = asClickHouseError(error, WHERE);
    expect(told.code).toBe('CLICKHOUSE_UNREACHABLE');
    expect(told.toString()).toMatch(says);
    expect(told.toString()).toContain('ClickHouse at http://ch:8123');
    expect(told.toString()).not.toContain('\n');
    expect([isUnknownOutcome(error), isUnknownOutcome(told)]).toEqual([unknown, unknown]);
  });

  function system(code: string): Error {
    return Object.assign(new Error(`connect ${code} 10.0.0.1:8123`), { code });
  }
});

describe('the real client', () => {
  it('that nobody answers, hangs up on or leaves waiting is told apart', async () => {
    const answers: ((server: Server) => void)[] = [
      (server) => server.close(),
      (server) => server.on('connection', (socket) => socket.destroy()),
      (server) => server.on('request', () => {}),
    ];
    const told: [string, boolean][] = [];
    for (const prepare of answers) {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      prepare(server);
      const error = await query({ url: `http://127.0.0.1:${port}`, requestTimeoutMs: 300 });
      server.closeAllConnections();
      server.close();
      told.push([asClickHouseError(error).message, isUnknownOutcome(error)]);
    }
    expect(told).toEqual([
      ["ClickHouse can't be reached: nothing listens there (ECONNREFUSED)", false],
      ['ClickHouse broke the connection off (ECONNRESET)', true],
      ['ClickHouse gave no answer in time', true],
    ]);
  });

  async function query(change: Partial<ClickHouseTarget>): Promise<unknown> {
    const target = {
      ...CLICKHOUSE_DEFAULTS,
      database: 'd',
      table: 't',
      keptBytes: 0,
    };
    const client = openClickHouse({ ...target, url: '', requestTimeoutMs: 1_000, ...change });
    try {
      return await client.query({ query: 'SELECT 1' });
    } catch (error) {
      return error;
    } finally {
      await client.close();
    }
  }
});
