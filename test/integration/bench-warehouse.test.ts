import { describe, expect, it } from 'vitest';
import { loadModel } from '#src/model/load.js';
import { runWarehouse } from '../../native-bench/warehouse/command.js';
import { parseWarehouseOptions } from '../../native-bench/warehouse/options.js';

describe('npm run bench -- warehouse', () => {
  it('proves its views, measures each query and bytes a session', { timeout: 300_000 }, async () => {
    const printed: string[] = [];
    const args = ['--sessions', '2000', '--rounds', '2', '--base-rounds', '1', '--sample', '2000', '--json'];
    const result = await runWarehouse(args, { print: (text) => printed.push(text), progress: () => {} });
    expect(JSON.parse(printed.at(-1)!)).toEqual(JSON.parse(JSON.stringify(result)));
    expect(result.queries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['brands', 'devices', 'countries', 'subscriptions', 'pages', 'summary']),
    );
    for (const { msP50, msP99, ratio } of result.queries) {
      expect(msP50).toBeGreaterThan(0);
      expect(msP99).toBeGreaterThanOrEqual(msP50);
      expect(ratio).toBeGreaterThan(0);
    }
    expect(result.worst.msP99).toBe(Math.max(...result.queries.map(({ msP99 }) => msP99)));
    expect(result.worst.leastRatio.ratio).toBe(Math.min(...result.queries.map(({ ratio }) => ratio)));
    expect(result.bytesASession.withCodecs).toBeLessThan(result.bytesASession.withoutCodecs);
    const columns = new Map(result.columns.map((column) => [column.name, column]));
    expect([...columns.keys()].sort()).toEqual(
      [...loadModel('web_clicks').columns.map(({ name }) => name), 'session_date'].sort(),
    );
    for (const { withCodec, withoutCodec } of columns.values()) {
      expect(withCodec).toBeGreaterThan(0);
      expect(withoutCodec).toBeGreaterThan(0);
    }
    expect(columns.get('brand')!.plain).toBeGreaterThan(columns.get('brand')!.withCodec);
    expect(columns.get('page_events')!.plain).toBeNull();
  });

  it('refuses what it does not know', () => {
    expect(() => parseWarehouseOptions(['--session', '1'])).toThrow();
    expect(() => parseWarehouseOptions(['--sessions', '1'])).toThrow(
      /--sessions takes a whole number from 100/,
    );
    expect(parseWarehouseOptions([]).sessions).toBe(10_000_000);
  });
});
