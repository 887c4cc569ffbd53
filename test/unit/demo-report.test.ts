import { describe, expect, it } from 'vitest';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { queriesOf } from '#src/clickhouse/views/queries.js';
import { CLICKSTREAM } from '#src/commands/demo-clickstream.js';
import { type DemoModel, type Generated, NONE, type Question } from '#src/commands/demo-model.js';
import { type ModelFigures, resultJson, resultText } from '#src/commands/demo-output.js';
import { differences, readSink, type SinkFigures, sqlOver } from '#src/commands/demo-report.js';
import { WEB_CLICKS } from '#src/commands/demo-web-clicks.js';
import { loadModel } from '#src/model/load.js';
import { CLICKHOUSE_DEFAULTS } from '../support/clickhouse-defaults.js';

const WAREHOUSE = { ...CLICKHOUSE_DEFAULTS.warehouse, views: 'all' as const };
const TARGET = { database: 'shop', table: 'session_metrics', warehouse: WAREHOUSE };
const BY_COUNTRY: Question = {
  title: 'By country?',
  query: 'countries',
  sql: 'SELECT country, count() AS sessions, 1.5 AS mean FROM {sessions}',
  key: 'country',
  compared: ['sessions'],
  shown: ['country', 'sessions', 'mean'],
};
const ALL: Question = {
  title: 'In all?',
  query: 'all',
  sql: 'SELECT 5 AS events FROM {rows}',
  key: null,
  compared: ['events'],
  shown: ['events'],
};
const QUESTIONS = [BY_COUNTRY, ALL];
const GENERATED: Generated = {
  sessions: 3,
  totals: { total_events: 5, clicks: 1 },
  answers: [
    new Map([
      ['DE', [2]],
      [NONE, [1]],
    ]),
    new Map([['', [5]]]),
  ],
};
const FIGURES: SinkFigures = {
  rows: 3,
  sessions: 3,
  unbalanced: 0,
  totals: { total_events: 5, clicks: 1 },
  answers: [
    [
      { country: 'DE', sessions: 2, mean: 1.5 },
      { country: null, sessions: '1', mean: 2 },
    ],
    [{ events: 5 }],
  ],
  days: new Map([['2026-01-30', { rows: 3, hash: '18446744073709551615' }]]),
};

const differing = (clickhouse: Partial<SinkFigures>, delta: Partial<SinkFigures> = {}) =>
  differences({ questions: QUESTIONS }, GENERATED, { ...FIGURES, ...clickhouse }, { ...FIGURES, ...delta });

describe('the comparison of ClickHouse, Delta and generator', () => {
  it('finds nothing where all three say the same', () => {
    expect(differing({})).toEqual([]);
  });

  it('names what is lost or doubled in one sink, or in both', () => {
    expect(differing({ sessions: 4 })).toEqual([{ what: 'sessions', generated: 3, clickhouse: 4, delta: 3 }]);
    const clicks = { totals: { total_events: 5, clicks: 0 } };
    expect(differing(clicks, clicks)).toEqual([{ what: 'clicks', generated: 1, clickhouse: 0, delta: 0 }]);
    expect(differing({}, { unbalanced: 2 })).toEqual([
      { what: 'sessions with unbalanced signs', generated: 0, clickhouse: 0, delta: 2 },
    ]);
  });

  it('names the line of an answer that differs, also one that is not there', () => {
    const answers = [[{ country: 'FR', sessions: 2 }, FIGURES.answers[0]![1]!], FIGURES.answers[1]!];
    expect(differing({ answers })).toEqual([
      { what: 'sessions of country DE', generated: 2, clickhouse: 0, delta: 2 },
      { what: 'sessions of country FR', generated: 0, clickhouse: 2, delta: 0 },
    ]);
    expect(differing({}, { answers: [FIGURES.answers[0]!, []] })).toEqual([
      { what: 'events', generated: 5, clickhouse: 5, delta: 0 },
    ]);
  });

  it('adds up the rows of one key, and takes an empty one for one that is missing', () => {
    const rows = [
      { country: 'DE', city: 'Berlin', sessions: '1' },
      { country: 'DE', city: 'Köln', sessions: 1 },
      { country: '', city: '', sessions: 1 },
    ];
    const halves = [{ events: 2 }, { events: '3' }];
    expect(differing({ answers: [rows, halves] })).toEqual([]);
    expect(differing({ answers: [rows.slice(1), halves.slice(1)] })).toEqual([
      { what: 'sessions of country DE', generated: 2, clickhouse: 1, delta: 2 },
      { what: 'events', generated: 5, clickhouse: 3, delta: 5 },
    ]);
  });

  it('names the day on which the rows of the sinks differ, though all sums agree', () => {
    const days = (rows: number, hash: string) => ({ days: new Map([['2026-01-30', { rows, hash }]]) });
    expect(differing(days(3, '1'))).toEqual([
      {
        what: 'hash of the rows of 2026-01-30',
        generated: null,
        clickhouse: '1',
        delta: '18446744073709551615',
      },
    ]);
    expect(differing(days(5, '1'))).toEqual([
      { what: 'rows of 2026-01-30', generated: null, clickhouse: 5, delta: 3 },
    ]);
    expect(differing({}, { days: new Map() })).toEqual([
      { what: 'rows of 2026-01-30', generated: null, clickhouse: 3, delta: 0 },
    ]);
  });
});

describe('what the demo knows of each model', () => {
  it.each([CLICKSTREAM, WEB_CLICKS] as DemoModel[])(
    'is an answer to each of its questions: $name',
    (model) => {
      const options = { seed: 1, users: 50, partitions: 4, startMs: Date.UTC(2026, 0, 30, 22) };
      const { generator, generated } = model.start(options);
      generator.next(2_000);
      const { answers, totals, sessions } = generated();
      expect(answers).toHaveLength(model.questions.length);
      const documented = queriesOf(analyticsOf(TARGET, loadModel(model.name)));
      for (const [index, { compared, shown, query, sql }] of model.questions.entries()) {
        expect(sql).toMatch(/\{(rows|sessions)\}/);
        const { sql: asked } = documented.find(({ name }) => name === query)!;
        for (const column of [...compared, ...shown])
          expect(asked(1)).toMatch(new RegExp(`AS \`?${column}\``));
        expect(answers[index]!.size).toBeGreaterThan(0);
        for (const figures of answers[index]!.values()) expect(figures).toHaveLength(compared.length);
      }
      const columns = loadModel(model.name).columns.map(({ name }) => name);
      expect(columns).toEqual(expect.arrayContaining(Object.keys(totals)));
      expect(totals.total_events).toBeGreaterThan(sessions);
    },
  );

  it('is asked of a sink in its own names, every column of the model in the hash of the rows', async () => {
    const asked: string[] = [];
    const sink = {
      rows: 'db.changes',
      sqlOf: sqlOver('db.changes', 'db.plain'),
      query: async (sql: string) => {
        asked.push(sql);
        return [{ rows: '2', sessions: 1, unbalanced: 0, sum_clicks: '7', day: '2026-01-30', hash: '12' }];
      },
    };
    const model = loadModel('clickstream');
    const figures = await readSink(sink, QUESTIONS, ['clicks'], model);
    expect(figures).toMatchObject({ rows: 2, sessions: 1, unbalanced: 0, totals: { clicks: 7 } });
    expect(figures.days).toEqual(new Map([['2026-01-30', { rows: 2, hash: '12' }]]));
    expect(asked).toContain('SELECT country, count() AS sessions, 1.5 AS mean FROM db.plain');
    const hashing = asked.find((sql) => sql.includes('cityHash64'))!;
    for (const { name } of model.columns) expect(hashing).toContain(`(${name})`);
  });
});

describe('the result', () => {
  const model: ModelFigures = {
    model: { ...CLICKSTREAM, questions: QUESTIONS },
    generated: GENERATED,
    clickhouse: FIGURES,
    delta: FIGURES,
    sqlOf: ({ query }) => `SELECT * FROM ${query}`,
    clickhouseUrl: 'http://127.0.0.1:8123',
    differences: [],
    feedMs: 1_000,
    commits: 4,
    deadLetters: 0,
    tableFolder: 'lake',
  };
  const figures = (differences: ModelFigures['differences']) => ({
    models: [{ ...model, differences }],
    seconds: 1,
    folder: 'folder',
    kept: false,
  });

  it('is one object for scripts, with the SQL that was asked', () => {
    expect(resultJson(figures([]))).toMatchObject({
      agree: true,
      seconds: 1,
      clickstream: {
        agree: true,
        events: { generated: 5, clickhouse: 5, delta: 5 },
        sessions: { generated: 3, clickhouse: 3, delta: 3 },
        rows: { clickhouse: 3, delta: 3 },
        eventsPerSecond: 5,
        answers: [
          { query: 'countries', sql: 'SELECT * FROM countries', rows: FIGURES.answers[0], rowsInAll: 2 },
          { sql: 'SELECT * FROM all' },
        ],
      },
    });
  });

  it('shows people each question, the command that asks it and its answer, and that all agree', () => {
    const text = resultText(figures([]), {});
    expect(text).toContain(
      [
        'By country?',
        '$ headrace query countries --model clickstream --clickhouse http://127.0.0.1:8123 --days 365',
        'country  sessions  mean',
        '───────  ────────  ────',
        'DE              2   1.5',
        '(none)          1   2.0',
      ].join('\n'),
    );
    expect(text).toMatch(/^events +5 +5 +5 {2}same$/m);
    expect(text).toContain('ClickHouse, Delta and the generator agree');
  });

  it('says what differs, and where', () => {
    const difference = { what: 'sessions of country DE', generated: null, clickhouse: 1, delta: 2 };
    const text = resultText(figures([difference]), {});
    expect(text).toContain('DIFFER');
    expect(text).toMatch(/^clickstream: sessions of country DE +– +1 +2$/m);
    expect(resultJson(figures([difference]))).toMatchObject({ agree: false, clickstream: { agree: false } });
  });
});
