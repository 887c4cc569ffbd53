import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { compileModel } from '#src/model/compile.js';
import { loadModel, presetNames } from '#src/model/load.js';

const CLICKSTREAM = readFileSync(new URL('../../config/models/clickstream.yaml', import.meta.url), 'utf8');

/** The message of what is refused. */
function refusal(run: () => unknown): HeadraceError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(HeadraceError);
    expect((error as HeadraceError).code).toBe('MODEL_INVALID');
    expect((error as HeadraceError).exitCode).toBe(78);
    return error as HeadraceError;
  }
  throw new Error('it was accepted');
}

/** clickstream with one text replaced by another. */
function changed(from: string | RegExp, to: string): string {
  const text = CLICKSTREAM.replace(from, to);
  expect(text).not.toBe(CLICKSTREAM);
  return text;
}

const complaint = (text: string) => refusal(() => compileModel(text, 'm.yaml')).message;

describe('the model clickstream', () => {
  const model = loadModel('clickstream');

  it('has the columns and types of its table, in their order', () => {
    const shown = model.columns.map(({ name, type, nullable }) => `${name} ${type}${nullable ? '?' : ''}`);
    expect(shown).toEqual([
      'session_id string',
      'user_id string',
      'session_start time',
      'session_end time',
      'session_duration_sec uint32',
      'total_events uint32',
      'page_views uint32',
      'clicks uint32',
      'add_to_carts uint32',
      'purchases uint32',
      'searches uint32',
      'entry_page string?',
      'exit_page string?',
      'unique_pages uint32',
      'pages list<string>',
      'referrer string?',
      'user_agent string?',
      'ip_address string?',
      'country string?',
      'city string?',
      'latitude float?',
      'longitude float?',
      'device_type string?',
      'os string?',
      'browser string?',
      'source_session_ids uint32',
      'product_ids list<string>',
      'categories list<string>',
      'created_at time',
      'batch_id uint64',
      'file_id uint64',
      'closed_by string',
      'revision uint32',
      'sign int8',
    ]);
    expect(model.columns.map((column) => column.index)).toEqual(shown.map((_, index) => index));
    for (const [name, index] of Object.entries(model.columnIndex))
      expect(model.columns[index]!.name).toBe(name);
  });

  it('reads its fields by key path, and requires three of them', () => {
    const required = model.fields.filter((field) => field.required).map((field) => field.path.join('.'));
    expect(required).toEqual(['event_type', 'timestamp', 'user_id']);
    expect(model.fields[model.keyField]!.path).toEqual(['user_id']);
    expect(model.fields[model.timeField]).toMatchObject({ path: ['timestamp'], type: 'time' });
    const country = model.columns.find((column) => column.name === 'country')!;
    expect(country.op).toEqual({
      op: 'first',
      field: model.fields.findIndex((f) => f.path.join('.') === 'geo.country'),
      where: null,
    });
  });

  it('has the times of the shipped models and no end event', () => {
    expect(model).toMatchObject({
      gapMs: 1_800_000,
      allowedDisorderMs: 10_000,
      allowedLatenessMs: 300_000,
      maxFutureMs: 3_600_000,
      idleTimeoutMs: 60_000,
      timeFormat: 'iso8601',
      endEvent: null,
      partitionColumn: 'session_date',
    });
  });

  it('means the same when the times that have defaults are left out', () => {
    const text = CLICKSTREAM.replace(
      /^(gap|allowed_disorder|allowed_lateness|max_future|idle_timeout):.*$/gm,
      '',
    );
    expect({ ...compileModel(text, 'm.yaml') }).toEqual(model);
  });
});

describe('the hash of a model', () => {
  const hashOf = (text: string) => compileModel(text, 'm.yaml').hash;
  const hash = hashOf(CLICKSTREAM);

  it('is 64 hexadecimal digits that do not depend on the file name', () => {
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(compileModel(CLICKSTREAM, 'another.yaml').hash).toBe(hash);
  });

  it('stays when nothing changes that decides a row', () => {
    const withoutComments = CLICKSTREAM.replace(/^\s*#.*$/gm, '');
    const reordered = changed('  referrer: { type: string }\n', '').replace(
      'fields:\n',
      'fields:\n  referrer: { type: string }\n',
    );
    for (const text of [
      withoutComments,
      reordered,
      changed('gap: 30m', 'gap: 1800s'),
      changed('idle_timeout: 60s', 'idle_timeout: 10m'),
      changed('name: clickstream', 'name: another'),
      changed(/^max_duration: 24h$/m, ''),
      changed('max_duration: 24h', 'max_duration: 1d\nemit: { early: 10s }'),
    ]) {
      expect(hashOf(text)).toBe(hash);
    }
  });

  it('changes with everything that decides a row', () => {
    const others = [
      changed('gap: 30m', 'gap: 29m'),
      changed('allowed_disorder: 10s', 'allowed_disorder: 11s'),
      changed('allowed_lateness: 5m', 'allowed_lateness: 6m'),
      changed('max_future: 1h', 'max_future: 2h'),
      changed('format: iso8601', 'format: epoch_ms'),
      changed('limit: 256', 'limit: 255'),
      changed('in: [click]', 'in: [clicks]'),
      changed('clicks: {', 'clickz: {'),
      changed('page_url: { type: string }', 'page_url: { type: string, required: true }'),
      changed('total_events: { op: count }', 'total_events: { op: count, type: uint64 }'),
      changed('"{key}:{start_ms}"', '"{key}-{start_ms}"'),
      `${CLICKSTREAM}\nend_event: { field: event_type, in: [logout] }\n`,
      `${CLICKSTREAM}\nend_event: { field: event_type, in: [logout], counted: true }\n`,
      `${CLICKSTREAM}\nstart_event: { field: event_type, in: [logout] }\n`,
      changed('max_duration: 24h', 'max_duration: 23h'),
      `${CLICKSTREAM}\nsplit: { midnight: UTC }\n`,
      `${CLICKSTREAM}\nsplit: { midnight: Europe/Berlin }\n`,
      `${CLICKSTREAM}\nsplit: { on_change: [geo.city] }\n`,
    ].map(hashOf);
    expect(new Set([hash, ...others]).size).toBe(others.length + 1);
  });
});

describe('a model is refused, with file, line, path and a suggestion, for', () => {
  it.each([
    [
      'an unknown key',
      changed('gap: 30m', 'gapp: 30m'),
      /m\.yaml:\d+: gapp: no such key; did you mean gap\?/,
    ],
    ['a key that has no effect', `${CLICKSTREAM}\nwindow: 24h\n`, /window: no such key/],
    [
      'a length of nothing',
      changed('max_duration: 24h', 'max_duration: 0s'),
      /max_duration: must be at least 1ms/,
    ],
    [
      'a time zone that there is not',
      `${CLICKSTREAM}\nsplit: { midnight: Europe/Berlinn }\n`,
      /split\.midnight: Europe\/Berlinn is no time zone of the IANA; did you mean Europe\/Berlin\?/,
    ],
    [
      'a change of no field',
      `${CLICKSTREAM}\nsplit: { on_change: [geo.citty] }\n`,
      /split\.on_change\[0\]: geo\.citty is no field.*did you mean geo\.city\?/,
    ],
    [
      'a split of another kind',
      `${CLICKSTREAM}\nsplit: { midnigt: UTC }\n`,
      /split\.midnigt.*did you mean midnight/,
    ],
    [
      'a start event of no field',
      `${CLICKSTREAM}\nstart_event: { field: event_typ, in: [login] }\n`,
      /start_event\.field: event_typ is no field/,
    ],
    [
      'early rows all the time',
      `${CLICKSTREAM}\nemit: { early: 10ms }\n`,
      /emit\.early: must be at least 1000ms/,
    ],
    ['an emit without its time', `${CLICKSTREAM}\nemit: {}\n`, /emit\.early/],
    [
      'an unknown key of a field',
      changed('required: true', 'requird: true'),
      /fields\.user_id\.requird.*did you mean required/,
    ],
    [
      'an unknown key of a column',
      changed('limit: 256', 'limit: 256, limitt: 1'),
      /columns\.pages\.limitt.*did you mean limit/,
    ],
    [
      'an argument that the operation lacks',
      changed('{ op: count }', '{ op: count, limit: 1 }'),
      /columns\.total_events\.limit: no such key/,
    ],
    [
      'an unknown operation',
      changed('op: set', 'op: sett'),
      /columns\.product_ids\.op: no such operation; did you mean set\?/,
    ],
    ['a missing operation', changed('{ op: count }', '{ }'), /columns\.total_events\.op: is missing/],
    [
      'an unknown field',
      changed('field: geo.city,', 'field: geo.citty,'),
      /columns\.city\.field: geo\.citty is no field.*did you mean geo\.city\?/,
    ],
    ['an unknown key field', changed('key: user_id', 'key: user'), /key: user is no field/],
    ['a missing section', changed(/^time:.*$/m, ''), /time: is missing/],
    ['a number without a unit', changed('gap: 30m', 'gap: 1800'), /gap: 1800 has no unit/],
    ['a unit that is none', changed('gap: 30m', 'gap: 30 min'), /gap: .*unit/],
    ['a gap of nothing', changed('gap: 30m', 'gap: 0s'), /gap: must be at least 1ms/],
    ['a time of centuries', changed('gap: 30m', 'gap: 40000d'), /gap: must be at most 366d/],
    [
      'a field of an unknown type',
      changed('latitude: { type: number }', 'latitude: { type: float }'),
      /fields\.geo\.latitude\.type/,
    ],
    [
      'a list of numbers',
      changed('op: list, field: page_url', 'op: list, field: geo.latitude'),
      /columns\.pages\.field: geo\.latitude is of type number/,
    ],
    [
      'a condition that is no list',
      changed('in: [click]', 'in: click'),
      /columns\.clicks\.in: must be a list/,
    ],
    [
      'a condition on a number',
      changed('field: event_type, in: [click]', 'field: geo.latitude, in: [click]'),
      /columns\.clicks\.field/,
    ],
    ['a condition of truth values', changed('in: [click]', 'in: [true]'), /columns\.clicks\.in\.0/],
    ['a limit of nothing', changed('limit: 256', 'limit: 0'), /columns\.pages\.limit/],
    [
      'a column name that SQL would quote',
      changed('  clicks:', '  "my clicks":'),
      /columns\.my clicks: is no column name/,
    ],
    ['a column that comes twice', changed('  clicks:', '  page_views:'), /twice/],
    [
      'the name of the partition column',
      changed('  clicks:', '  session_date:'),
      /session_date: is the name of the partition column/,
    ],
    ['a shared column that is missing', changed(/^ {2}revision:.*$/m, ''), /columns: revision is missing/],
    [
      'a shared column under another name',
      changed('  sign: {', '  signum: {'),
      /columns\.signum: must be called sign/,
    ],
    [
      'a shared name for something else',
      changed('{ op: closed_by }', '{ op: key }'),
      /columns\.closed_by\.op: must be closed_by/,
    ],
    [
      'a session id without its key',
      changed('"{key}:{start_ms}"', '"{start_ms}"'),
      /template: must hold \{key\}/,
    ],
    [
      'a session id with an unknown part',
      changed('"{key}:{start_ms}"', '"{key}:{start}"'),
      /knows \{key\} and \{start_ms\} only/,
    ],
    [
      'a key that may be missing',
      changed('user_id: { type: string, required: true }', 'user_id: { type: string }'),
      /fields\.user_id: is the key: it must say required/,
    ],
    [
      'a second field of type time',
      changed('page_url: { type: string }', 'page_url: { type: time }'),
      /only timestamp/,
    ],
    [
      'a field that is a value and a parent',
      changed('  referrer: {', '  geo: {'),
      /fields\.geo: can't be a value and hold geo\.city too/,
    ],
    [
      'an empty part of a path',
      changed('  geo.city: {', '  geo..city: {'),
      /fields\.geo\.\.city: must be the name/,
    ],
    ['names that objects inherit', changed('  referrer: { op', '  __proto__: { op'), /columns\.__proto__/],
    [
      'low cardinality of a number',
      changed('field: geo.latitude }', 'field: geo.latitude, low_cardinality: true }'),
      /columns\.latitude\.low_cardinality/,
    ],
    ['no map', '- a\n- b\n', /must be a map/],
    ['nothing', '', /name: is missing/],
    ['two documents', `${CLICKSTREAM}\n---\n${CLICKSTREAM}`, /more than one YAML document/],
    ['broken YAML', 'name: [a\n', /not valid YAML/],
  ])('%s', (_name, text, said) => {
    expect(complaint(text)).toMatch(said);
  });

  it('everything at once, so that nobody looks ten times', () => {
    const text = changed('gap: 30m', 'gapp: 30m')
      .replace('limit: 256', 'limit: none')
      .replace('op: key', 'op: kee');
    expect(complaint(text)).toMatch(/3 problems[\s\S]*gapp[\s\S]*user_id\.op[\s\S]*pages\.limit/);
  });

  it('hostile YAML, in bounded time and memory', () => {
    const aliases = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${`*${'abcdefghi'[index]},`.repeat(9)}]`)
      .join('\n')}`;
    expect(complaint(aliases)).toMatch(/aliases/);
    expect(complaint('['.repeat(60_000))).toMatch(/YAML|nested/);
    expect(complaint(`name: ${'x'.repeat(70_000)}`)).toMatch(/larger than/);
    expect(complaint('name: !!js/function "x"\n')).toMatch(/tags/);
  });
});

describe('loading', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-model-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes a path as well as a name, and both give the same model', () => {
    const path = join(folder, 'mine.yaml');
    writeFileSync(path, CLICKSTREAM);
    expect(loadModel(path)).toEqual(loadModel('clickstream'));
  });

  it('compiles every model that ships', () => {
    expect(presetNames()).toContain('clickstream');
    for (const name of presetNames()) expect(loadModel(name).name).toBe(name);
  });

  it('says which presets there are when the name is none', () => {
    const error = refusal(() => loadModel('clickstraem'));
    expect(error.message).toContain('did you mean clickstream?');
    expect(error.remedy).toContain('clickstream');
    expect(refusal(() => loadModel('..')).message).toContain('no model called');
  });

  it('says which file can not be read, and reads no endless one', () => {
    expect(refusal(() => loadModel(join(folder, 'none.yaml'))).message).toContain('ENOENT');
    expect(refusal(() => loadModel(`${folder}/`)).message).toContain("can't be read");
    expect(refusal(() => loadModel('/dev/zero')).message).toContain('larger than');
    const latin1 = join(folder, 'latin1.yaml');
    writeFileSync(latin1, Buffer.from('name: caf\xe9\n', 'latin1'));
    expect(refusal(() => loadModel(latin1)).message).toContain("can't be read");
  });
});
