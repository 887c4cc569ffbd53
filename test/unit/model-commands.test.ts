import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelCheck } from '#src/commands/model/check.js';
import { type ModelExplanation, modelExplain } from '#src/commands/model/explain.js';
import { modelTest } from '#src/commands/model/test.js';
import { modelJsonSchema } from '#src/model/json-schema.js';
import { presetNames } from '#src/model/load.js';

const MODEL = `
name: shop
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  page: { type: string }
gap: 10s
allowed_disorder: 0s
allowed_lateness: 0s
columns:
  session_id: { op: session_id, template: '{key}:{start_ms}' }
  session_start: { op: session_start }
  total: { op: count }
  entry: { op: first, field: page }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`;
const EVENTS = `{"user":"a","at":1000,"page":"/"}
{"user":"a","at":5000}

{"user":"b","at":30000,"page":"/b"}
{"user":"a","at":100}
not JSON
{"$record":{"timestamp_ms":0,"value":{"user":"b","at":4000000}}}
`;
const ROWS = [
  { session_id: 'a:1000', total: 2, entry: '/', closed_by: 'gap' },
  { session_id: 'b:30000', total: 1, closed_by: 'end_of_input' },
];
const LETTERS = [
  { $dead_letter: { line: 5, reason: 'late' } },
  { $dead_letter: { line: 6, reason: 'malformed' } },
  { $dead_letter: { line: 7, reason: 'future' } },
];

let folder: string;
let out: string;
const stdout = (text: string) => {
  out += text;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-model-'));
  out = '';
  put('shop.yaml', MODEL);
  put('events.jsonl', EVENTS);
});

afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function lines(objects: readonly object[]): string {
  return objects.map((each) => `${JSON.stringify(each)}\n`).join('');
}

function runTest(expected: string, more: { write?: boolean; json?: boolean } = {}): Promise<number> {
  const [model, events] = [join(folder, 'shop.yaml'), join(folder, 'events.jsonl')];
  return modelTest({ model, events, expected, write: false, json: false, stdout, ...more });
}

describe('headrace model test', () => {
  it('is content with rows that hold the columns that matter, in any order, and with the dead letters', async () => {
    const expected = put('rows.jsonl', lines([ROWS[1]!, ...LETTERS, ROWS[0]!]));
    expect(await runTest(expected)).toBe(0);
    expect(out).toBe('2 sessions (2 rows with their revisions), 3 dead letters: as expected\n');
  });

  it('shows each column that differs, rows of one side only, and dead letters that nobody expected', async () => {
    const wrong = [{ ...ROWS[0], total: 3 }, { session_id: 'c:1' }, ...LETTERS.slice(1)];
    const expected = put('rows.jsonl', lines(wrong));
    expect(await runTest(expected)).toBe(1);
    expect(out).toMatch(/not as expected/);
    expect(out).toMatch(/^a:1000 +total +3 +2$/m);
    expect(out).toMatch(/^c:1 +the row +\{"session_id":"c:1"\} +–$/m);
    expect(out).toMatch(/^b:30000 +the row +– +\{"session_id":"b:30000",/m);
    expect(out).toMatch(/^line 5 +the dead letter +– +late$/m);
  });

  it('writes what comes out, which then is as expected', async () => {
    const expected = join(folder, 'rows.jsonl');
    expect(await runTest(expected, { write: true })).toBe(0);
    expect(await runTest(expected)).toBe(0);
    const [first] = readFileSync(expected, 'utf8').split('\n');
    expect(JSON.parse(first!)).toEqual({
      ...{ session_id: 'a:1000', session_start: '1970-01-01T00:00:01.000Z', total: 2, entry: '/' },
      ...{ closed_by: 'gap', revision: 0 },
    });
  });

  it('as JSON is one object', async () => {
    expect(await runTest(put('rows.jsonl', lines([...ROWS, ...LETTERS])), { json: true })).toBe(0);
    expect(JSON.parse(out)).toEqual({ sessions: 2, changes: 2, deadLetters: 3, differences: [] });
  });

  it('names file and line of what it can not take', async () => {
    const at = (text: string) => runTest(put('rows.jsonl', text));
    await expect(at('{"totl":1}\n')).rejects.toThrow(
      /rows.jsonl:1: totl is no column of shop; did you mean total\?/,
    );
    await expect(at('{}\n{')).rejects.toThrow(/rows.jsonl:2: /);
    await expect(at('{"$dead_letter":{"line":"1"}}')).rejects.toThrow(/needs a line/);
    await expect(runTest(join(folder, 'none.jsonl'))).rejects.toThrow(/can't be read.*none.jsonl/);
    put('events.jsonl', '{"$record":{"timestamp_ms":"1","value":{}}}');
    await expect(at('')).rejects.toThrow(/events.jsonl:1: \$record.timestamp_ms is no number/);
  });
});

describe('headrace model check', () => {
  it('says that the shipped models are right, and what is wrong with another', async () => {
    expect(await modelCheck({ models: presetNames(), json: false, stdout })).toBe(0);
    expect(out).toMatch(/^clickstream: right\. clickstream, 17 fields, 34 columns, hash [0-9a-f]{12}$/m);
    const bad = put('bad.yaml', MODEL.replace('gap:', 'gapp:'));
    await expect(modelCheck({ models: [bad], json: false, stdout })).rejects.toThrow(/did you mean gap\?/);
  });
});

describe('headrace model explain', () => {
  it('shows each column with its types in both sinks and what it holds, by the names of the file', async () => {
    for (const model of presetNames()) {
      out = '';
      expect(await modelExplain({ model, json: true, stdout })).toBe(0);
      const { columns } = JSON.parse(out) as ModelExplanation;
      expect(columns.find(({ name }) => name === 'session_start')).toMatchObject({
        ...{ clickhouse: "DateTime64(3, 'UTC')", delta: 'timestamp', holds: 'session_start' },
      });
      for (const { holds } of columns) expect(holds).not.toMatch(/undefined|\[object/);
    }
    out = '';
    await modelExplain({ model: 'clickstream', json: false, stdout });
    expect(out).toMatch(/^page_views +UInt32 +long +count_if, where event_type in \[page_view\]$/m);
    expect(out).toMatch(/^pages +Array\(String\) +array<string> +list, field page_url, limit 256$/m);
  });
});

describe('the JSON schema for editors', () => {
  it('that ships is the one that files are checked by', () => {
    const path = fileURLToPath(new URL('../../config/models/model.schema.json', import.meta.url));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(modelJsonSchema());
  });
});
