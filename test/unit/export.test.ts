import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { modelExport } from '#src/commands/model/export.js';
import { exportFlinkSql } from '#src/export/flink-sql.js';
import { EXPORT_TARGETS } from '#src/export/targets.js';
import { compileModel } from '#src/model/compile.js';
import { loadModel, presetNames } from '#src/model/load.js';
import { HOLDS, NEIGHBOURS, windowsModel } from '../support/exported-models.js';

/** The texts of exported jobs; that they run and what they find is in export-clickhouse and export-flink. */

const PLACE = { brokers: 'k:9092', topic: 'events', untilEnd: false };
const TARGETS = Object.keys(EXPORT_TARGETS);

function exported(model: string, to: string, more: object = {}): { text: string; not_expressed: string[] } {
  let printed = '';
  const stdout = (text: string) => {
    printed += text;
  };
  expect(modelExport({ model, to, ...PLACE, json: true, stdout, ...more })).toBe(0);
  return JSON.parse(printed);
}

describe.each(TARGETS)('%s', (to) => {
  it.each(presetNames())('has each column of %s once, in order, and its list at the head', (name) => {
    const { text, not_expressed: list } = exported(name, to);
    const written = [...text.matchAll(/ AS `([a-z_0-9]+)`,?$/gm)].map(([, column]) => column);
    expect(written.slice(-loadModel(name).columns.length)).toEqual(
      loadModel(name).columns.map((column) => column.name),
    );
    const head = text.slice(0, text.indexOf('\n\n'));
    for (const sentence of list) expect(head).toContain(`- ${sentence}\n`.trimEnd());
    expect(list.length).toBeGreaterThan(5);
    expect(new Set(list).size).toBe(list.length);
  });

  it('without --json prints the text alone', () => {
    let printed = '';
    const stdout = (text: string) => {
      printed += text;
    };
    modelExport({ model: 'clickstream', to, ...PLACE, json: false, stdout });
    expect(printed).toBe(exported('clickstream', to).text);
  });

  it('keeps names and texts in their quotes, whatever is in them', () => {
    const user = 'us`er';
    const said = "it's \\";
    const engine = ['created_at', 'batch_id', 'file_id', 'closed_by', 'revision', 'sign', 'session_start'];
    // a JSON text is YAML
    const file = JSON.stringify({
      name: 'odd',
      key: user,
      time: { field: 'at', format: 'epoch_ms' },
      fields: {
        [user]: { type: 'string', required: true },
        at: { type: 'time', required: true },
        [said]: { type: 'string' },
      },
      end_event: { field: said, in: ["o'clock", 'back\\slash', '"""'] },
      columns: {
        session_id: { op: 'session_id', template: "{key}'{start_ms}" },
        said: { op: 'last', field: said },
        ...Object.fromEntries(engine.map((op) => [op, { op }])),
      },
    });
    const odd = compileModel(file, 'odd.yaml');
    const { text } = EXPORT_TARGETS[to]!(odd, PLACE);
    expect(text).toContain(to === 'flink-sql' ? "'o''clock'" : "'o\\'clock'");
    expect(text).toContain(to === 'clickhouse-sql' ? '`us\\`er`' : '`us``er`');
    expect(text).toContain(to === 'flink-sql' ? "'back\\slash'" : "'back\\\\slash'");
  });
});

describe('what a job can’t express', () => {
  it('tells end events apart by the engine', () => {
    expect(exported('web_clicks', 'flink-sql').not_expressed.join('\n')).toMatch(
      /^end_event, start_event, split: /m,
    );
    expect(exported('web_clicks', 'spark').not_expressed.join('\n')).toMatch(/^no stream: session_window/m);
    expect(exported('web_clicks', 'clickhouse-sql').not_expressed.join('\n')).not.toMatch(/end_event/);
    expect(exported('clickstream', 'flink-sql').not_expressed.join('\n')).not.toMatch(/end_event/);
  });

  it('names words of a model that it has no place for', () => {
    const model = windowsModel({ ...NEIGHBOURS, max_duration: '2h', emit: { early: '10s' } });
    const lists = Object.fromEntries(
      Object.entries(EXPORT_TARGETS).map(([to, exportModel]) => [
        to,
        exportModel(model, PLACE).notExpressed.join('\n'),
      ]),
    );
    for (const to of TARGETS) {
      expect(lists[to], to).toMatch(/^emit\.early: /m);
      expect(lists[to], to).toMatch(/^fields\.ip_address, mask: an IPv6 address/m);
      expect(lists[to], to).toMatch(/^closed_by: empty/m);
    }
    expect(lists['flink-sql']).toMatch(/^max_duration: .* 7200000 ms is not cut/m);
    expect(`${lists.spark}${lists['clickhouse-sql']}`).not.toMatch(/max_duration/);
  });

  it('says where gaps from a field are not quite ours', () => {
    const model = windowsModel(HOLDS);
    expect(exportFlinkSql(model, PLACE).notExpressed.join('\n')).toMatch(
      /^gap: .* only when gap\.max has passed/m,
    );
    const both = exportFlinkSql(windowsModel({ ...NEIGHBOURS, ...HOLDS }), PLACE);
    expect(both.notExpressed.join('\n')).toMatch(/^gap: what comes behind an end event/m);
    const stream = EXPORT_TARGETS.spark!(model, PLACE);
    expect(stream.text).toMatch(
      /session_window\(at, concat\(\(CASE WHEN event\.`hold` IS NULL THEN CAST\(1200000 /,
    );
    for (const to of ['spark', 'clickhouse-sql'])
      expect(EXPORT_TARGETS[to]!(model, PLACE).notExpressed.join('\n')).not.toMatch(/^gap: /m);
  });

  it('an event exactly a gap later finds its session open, one a millisecond later does not', () => {
    expect(exported('clickstream', 'flink-sql').text).toContain(
      `INTERVAL '0 00:30:00.001' DAY(3) TO SECOND(3)))`,
    );
    expect(exported('clickstream', 'spark').text).toContain("session_window(at, '1800000 milliseconds')");
    expect(exported('clickstream', 'spark', { untilEnd: true }).text).toContain(
      'at_ms - before_ms > 1800000',
    );
  });
});

describe('a job for Spark', () => {
  it.each([
    ['clickstream', false],
    ['clickstream', true],
    ['web_clicks', true],
  ])('of %s, --until-end %s, is Python', (name, untilEnd) => {
    const { text } = exported(name, 'spark', { untilEnd });
    const check = 'import ast, sys; ast.parse(sys.stdin.read())';
    execFileSync('python3', ['-c', check], { input: text, stdio: 'pipe' });
    expect(() => execFileSync('python3', ['-c', check], { input: `${text}(`, stdio: 'pipe' })).toThrow();
  });
});

describe('what is refused', () => {
  it.each([
    [{ to: 'flink' }, /--to knows no engine "flink"/],
    [{ to: 'constructor' }, /--to knows no engine/],
    [{ to: 'spark', topic: 'a\nb' }, /--topic can't be "a\\nb"/],
    [{ to: 'spark', brokers: "b' OR" }, /--brokers can't be/],
    [{ to: 'spark', model: 'klickstream' }, /did you mean clickstream/],
  ])('%j', (options, message) => {
    const all = { model: 'clickstream', ...PLACE, json: false, stdout: () => undefined, ...options };
    expect(() => modelExport(all)).toThrow(message);
  });
});
