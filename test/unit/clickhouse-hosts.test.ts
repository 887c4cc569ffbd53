import { describe, expect, it } from 'vitest';
import { heldError } from '#src/clickhouse/errors.js';
import { ClickHouseHosts } from '#src/clickhouse/hosts.js';
import type { ClickHouseTarget } from '#src/clickhouse/target.js';
import { HeadraceError } from '#src/errors.js';
import { CLICKHOUSE_DEFAULTS } from '../support/clickhouse-defaults.js';
import { HurriedClock } from '../support/fake-time.js';

const [A, B] = ['http://127.0.0.1:1', 'http://127.0.0.1:2'] as const;

function hosts(clock = new HurriedClock()): ClickHouseHosts {
  const target: ClickHouseTarget = {
    ...CLICKHOUSE_DEFAULTS,
    url: A,
    urls: [A, B],
    database: 'd',
    table: 't',
    requestTimeoutMs: 1_000,
    keptBytes: 0,
  };
  return new ClickHouseHosts(target, clock);
}

const broken = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

describe('the hosts of a ClickHouse', () => {
  it('are left for the next one when they can not be reached, and the error says for which', () => {
    const two = hosts();
    expect(two.failed(broken()).where).toMatchObject({ url: A, next_url: B });
    expect([two.url, two.target.url]).toEqual([B, B]);
  });

  it('are no way out when they failed a moment ago, and are one again later', () => {
    const clock = new HurriedClock();
    const two = hosts(clock);
    two.failed(broken());
    expect(two.failed(broken()).where.next_url).toBeUndefined();
    expect(two.url).toBe(A);
    clock.advance(120_000);
    expect(two.failed(broken()).where.next_url).toBe(B);
  });

  it('are left once, however many requests fail with them, by whomever they were sent', async () => {
    const two = hosts();
    const { client } = two;
    two.failed(broken(), client);
    // one that was under way all the time
    two.failed(broken(), client);
    const fromWorker = new HeadraceError('CLICKHOUSE_UNREACHABLE', 'gone', { where: { url: A } });
    two.failed(fromWorker);
    expect(two.url).toBe(B);
    await two.close();
  });

  it('stay when they refuse, or when the table is held', () => {
    const two = hosts();
    two.failed(new HeadraceError('CLICKHOUSE_REFUSED', 'no', { where: { url: A } }));
    two.failed(heldError({ url: A, database: 'd', table: 't' }));
    expect(two.url).toBe(A);
  });
});
