import { describe, expect, it } from 'vitest';
import { runCatchup } from '../../native-bench/catchup/command.js';
import { parseCatchupOptions } from '../../native-bench/catchup/options.js';

describe('npm run bench -- catchup', () => {
  it('brings in each row once while commits go on, and says how fast', { timeout: 900_000 }, async () => {
    const printed: string[] = [];
    const small = ['--outage-seconds', '4', '--events-per-second', '2000', '--lanes', '4'];
    const args = [...small, '--views', '--live-seconds', '3', '--queries-a-day', '400000', '--json'];
    const result = await runCatchup(args, { print: (text) => printed.push(text), progress: () => {} });
    expect(JSON.parse(printed.at(-1)!)).toEqual(JSON.parse(JSON.stringify(result)));
    // a second has 100 sessions, in a file of each of two workers
    expect(result).toMatchObject({ files: 8, rows: 400 });
    expect(result.filesPerSecond).toBeCloseTo(8 / result.seconds);
    expect(result.insertMs).toBeGreaterThan(0);
    expect(result.statementsAFile).toBeGreaterThan(1);
    const said = new Map(result.statements.map(({ statement, count }) => [statement, count]));
    // an intent row before each first try and a done row behind it, for several files at once
    for (const statement of ['INSERT headrace_files', 'INSERT … SELECT headrace_files'])
      expect(said.get(statement)).toBeGreaterThanOrEqual(1);
    expect(result.lagAfter.msMax).toBeGreaterThanOrEqual(result.lagAfter.msP50);
    expect(result.asked!.queries).toBeGreaterThan(3);
    expect(result.asked!.msMax).toBeGreaterThanOrEqual(result.asked!.msP50);
    expect(result.calm.commitMsMax).toBeGreaterThanOrEqual(result.calm.commitMsP50);
    expect(printed[0]).toContain('caught up in');
  });

  it('refuses what it does not know', () => {
    expect(() => parseCatchupOptions(['--outage', '1'])).toThrow();
    expect(parseCatchupOptions([])).toMatchObject({
      outageSeconds: 600,
      eventsPerSecond: 100_000,
      views: false,
      liveSeconds: 10,
      queriesADay: 100_000,
    });
  });
});
