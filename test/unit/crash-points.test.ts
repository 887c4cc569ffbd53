import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { announceCrash } from '#src/commands/run/crash-order.js';
import { CRASH_POINTS, parseCrashOrder } from '#src/crash-points.js';
import { HeadraceError } from '#src/errors.js';
import { EngineProcess } from '../support/engine-process.js';
import { FakeLog } from '../support/fake-log.js';
import { withFolder } from '../support/lake-table.js';

describe('an order to crash', () => {
  it('is the name of a point, with the passage that kills if it is not the first', () => {
    expect(parseCrashOrder('commit.after-put')).toEqual({ point: 'commit.after-put', passage: 1 });
    expect(parseCrashOrder('snapshot.before-delete:12')).toEqual({
      point: 'snapshot.before-delete',
      passage: 12,
    });
  });

  it.each(['', 'commit', 'commit.after-put:', 'commit.after-put:0', 'commit.after-put:1.5', ':3', 'COMMIT'])(
    'is not %j',
    (text) => {
      expect(parseCrashOrder(text)).toBeNull();
    },
  );

  it('is told of when an engine starts', () => {
    const log = new FakeLog();
    announceCrash(log, 'file.after-upload:2');
    expect(log.with('HEADRACE_CRASH_AT is set')).toHaveLength(1);
    announceCrash(log, undefined);
    expect(log.with('HEADRACE_CRASH_AT')).toHaveLength(1);
  });

  it('that names no point ends the engine before anything is done', async () => {
    await withFolder(async (folder) => {
      const engine = new EngineProcess({
        brokers: '127.0.0.1:1',
        topic: 't',
        group: 'g',
        lake: `${folder}/lake`,
        log: `${folder}/engine`,
        env: { HEADRACE_CRASH_AT: 'commit.befor-put' },
      });
      expect(await engine.exit(30_000)).toEqual({ code: 78, signal: null });
      expect(engine.output).toMatch(
        /CONFIG_INVALID: no crash point: "commit.befor-put" \(path=HEADRACE_CRASH_AT\)/,
      );
      expect(engine.output).toMatch(/did you mean commit.before-put\?/);
    });
  });
});

describe('the points', () => {
  it('are all named in ARCHITECTURE.md', () => {
    const text = readFileSync(new URL('../../src/ARCHITECTURE.md', import.meta.url), 'utf8');
    for (const point of CRASH_POINTS) expect(text).toContain(`\`${point}\``);
  });

  it('are told of in one line when there is no such point', () => {
    const failure = () => announceCrash(new FakeLog(), 'nothing-like-it:3');
    expect(failure).toThrow(HeadraceError);
    expect(failure).toThrow(/"nothing-like-it:3"/);
  });
});
