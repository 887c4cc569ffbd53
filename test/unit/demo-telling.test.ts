import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bar, Dashboard, type Sample, sparkline } from '#src/commands/demo-dashboard.js';
import { EngineLogReader } from '#src/commands/demo-engine-log.js';
import { Narrator } from '#src/commands/demo-narrator.js';

const SAMPLE: Sample = {
  model: 'clickstream',
  produced: 12_000,
  committed: 10_000,
  openSessions: null,
  commits: 3,
  lakeRows: 1_000,
  clickhouseRows: 500,
  deadLetters: 0,
  eventTimeMs: Date.UTC(2026, 0, 31, 12, 34),
};

describe('Dashboard', () => {
  it('shows a column a model, with rates taken between two samples', () => {
    const dashboard = new Dashboard(30);
    const other = { ...SAMPLE, model: 'web_clicks', openSessions: 42, clickhouseRows: null, deadLetters: 7 };
    dashboard.add(1_000, [SAMPLE, other]);
    dashboard.add(3_000, [
      { ...SAMPLE, committed: 11_000 },
      { ...other, produced: 60_000, committed: 50_000 },
    ]);
    expect(dashboard.table()).toEqual([
      '3.0 s of 30 s              clickstream              web_clicks',
      '───────────────────────────────────────────────────────────────────────────',
      'events/s, committed        500    █▁                20.0 k ▅█',
      'events produced            12.0 k                   60.0 k',
      'lag: not yet committed     1.00 k                   10.0 k',
      'open sessions (engine log) –                        42',
      'rows in the lake           1.00 k in 3 commits      1.00 k in 3 commits',
      'rows in ClickHouse         500    █████░░░░░        –      ░░░░░░░░░░',
      'dead letters               0                        7',
      'event time                 01-31 12:34              01-31 12:34',
    ]);
  });

  it('says the same in a line a model where nothing can be drawn over', () => {
    const dashboard = new Dashboard(30);
    dashboard.add(2_000, [SAMPLE]);
    expect(dashboard.lines()).toEqual([
      '2.0 s clickstream: 5.00 k events/s · 12.0 k events · lag 2.00 k · – open sessions · lake 1.00 k rows in 3 commits · ClickHouse 500 rows · 0 dead letters',
    ]);
  });

  it('draws heights up to the greatest and shares up to the whole', () => {
    expect(sparkline([0, 1, 4, 8])).toBe('▁▂▅█');
    expect(sparkline([0, 0])).toBe('▁▁');
    expect(sparkline([])).toBe('');
    expect([bar(0, 0), bar(3, 10), bar(12, 10)]).toEqual(['░░░░░░░░░░', '███░░░░░░░', '██████████']);
  });
});

describe('Narrator', () => {
  function told(stream: { isTTY: boolean; columns?: number; rows?: number }) {
    const written: string[] = [];
    const narrator = new Narrator({ ...stream, write: (text: string) => written.push(text) });
    return { narrator, text: () => written.join('') };
  }

  it('draws its block over and over on a terminal, never wider or higher than it, and clears it for a line', () => {
    const { narrator, text } = told({ isTTY: true, columns: 11, rows: 3 });
    narrator.status(['a line too long', 'two', 'below the screen'], ['plain']);
    narrator.status(['one'], ['plain']);
    narrator.line('done');
    narrator.line('all');
    expect(text()).toBe('a line too\ntwo\r\u001b[1A\u001b[Jone\r\u001b[Jdone\nall\n');
  });

  it('leaves a block standing when told to', () => {
    const { narrator, text } = told({ isTTY: true, columns: 0, rows: 0 });
    narrator.keepStatus();
    narrator.status(['one', 'two'], []);
    narrator.keepStatus();
    narrator.line('done');
    expect(text()).toBe('one\ntwo\ndone\n');
  });

  it('adds plain lines elsewhere', () => {
    const { narrator, text } = told({ isTTY: false });
    narrator.status(['a block'], ['a', 'b']);
    narrator.keepStatus();
    narrator.line('done');
    expect(text()).toBe('a\nb\ndone\n');
  });
});

describe('EngineLogReader', () => {
  it('knows the open sessions of the last whole line that tells them, whatever else is in the log', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-test-log-'));
    const path = join(folder, 'engine.log');
    const reader = new EngineLogReader(path);
    try {
      await writeFile(path, '{"msg":"starting"}\n');
      await reader.look();
      expect(reader.openSessions).toBeNull();
      await appendFile(path, 'not JSON "open_sessions":9\n{"open_sessions":5,"msg":"progress"}\n{"open_ses');
      await reader.look();
      expect(reader.openSessions).toBe(5);
      await appendFile(path, 'sions":6}\n{"open_sessions":7}');
      await reader.look();
      expect(reader.openSessions).toBe(6);
    } finally {
      await reader.close();
      await rm(folder, { recursive: true });
    }
  });
});
