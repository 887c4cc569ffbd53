import { describe, expect, it } from 'vitest';
import { clickHouseType } from '#src/clickhouse/types.js';
import { deltaSchema } from '#src/columnar/schema.js';
import { loadModel } from '#src/model/load.js';
import { loggedFields } from '#src/model/logged-fields.js';
import { rowsOfBoth } from '../support/both-engines.js';

const START_MS = Date.UTC(2026, 0, 31, 12);
const model = loadModel('product_analytics');

let serial = 0;
/** An event of device d, so many seconds after the start. */
function event(seconds: number, type: string, more: object = {}) {
  return {
    event_id: `e${serial++}`,
    device_id: 'd',
    event_type: type,
    timestamp: new Date(START_MS + seconds * 1_000).toISOString(),
    ...more,
  };
}

describe('the model product_analytics', () => {
  it('has the columns and types of its table, in their order', () => {
    const shown = model.columns.map(({ name, type, nullable }) => `${name} ${type}${nullable ? '?' : ''}`);
    expect(shown).toEqual([
      'session_id string',
      'device_id string',
      'user_id string?',
      'session_start time',
      'session_end time',
      'session_duration_sec uint32',
      'total_events uint32',
      'page_views uint32',
      'unique_pages uint32',
      'entry_page string?',
      'exit_page string?',
      'pages list<string>',
      'pages_left_out uint32',
      'referrer string?',
      'utm_source string?',
      'utm_medium string?',
      'utm_campaign string?',
      'country string?',
      'device_type string?',
      'os string?',
      'browser string?',
      'ip_network string?',
      'conversions uint32',
      'revenue float?',
      'largest_value float?',
      'best_page string?',
      'engaged bool',
      'bounce bool',
      'pages_per_minute float?',
      'created_at time',
      'batch_id uint64',
      'file_id uint64',
      'closed_by string',
      'revision uint32',
      'sign int8',
    ]);
    for (const [name, index] of Object.entries(model.columnIndex))
      expect(model.columns[index]!.name).toBe(name);
  });

  it('has truths in both sinks', () => {
    const delta = Object.fromEntries(deltaSchema(model).fields.map(({ name, type }) => [name, type]));
    expect(delta).toMatchObject({
      engaged: 'boolean',
      bounce: 'boolean',
      revenue: 'double',
      sign: 'integer',
    });
    const engaged = model.columns.find(({ name }) => name === 'engaged')!;
    expect(clickHouseType(engaged)).toBe('Bool');
  });

  it('keeps of an event what its columns read, each field once', () => {
    const { fields, tracked } = loggedFields(model);
    const names = fields.map((field) => model.fields[field]!.path.join('.'));
    expect(new Set(names).size).toBe(names.length);
    expect(names.toSorted()).toEqual(
      model.fields
        .map(({ path }) => path.join('.'))
        .filter((name) => name !== 'timestamp' && name !== 'device_id'),
    );
    expect(tracked).toBe(fields.length);
  });
});

describe('a visit', () => {
  it('that sees pages and buys is engaged, with entry and exit page, source, revenue and network', () => {
    const utm = { source: 'news', medium: 'email', campaign: 'spring' };
    const { rows, filtered } = rowsOfBoth(model, [
      event(0, 'page_view', { page_url: '/pricing', utm, ip_address: '203.0.113.9', country: 'DE' }),
      event(5, 'click', { page_url: '/pricing' }),
      event(20, 'page_view', { page_url: '/cart', utm: { source: 'other' }, user_id: 'u42' }),
      event(30, 'heartbeat'),
      event(60, 'purchase', { page_url: '/thanks', value: 12.5 }),
      event(61, 'purchase', { page_url: '/thanks/again', value: 30.25 }),
    ]);
    expect(filtered).toBe(1);
    expect(rows).toMatchObject([
      {
        session_id: `d:${START_MS}`,
        device_id: 'd',
        user_id: 'u42',
        session_duration_sec: 61,
        total_events: 5,
        page_views: 2,
        unique_pages: 2,
        entry_page: '/pricing',
        exit_page: '/cart',
        pages: ['/pricing', '/cart'],
        pages_left_out: 0,
        utm_source: 'news',
        utm_campaign: 'spring',
        country: 'DE',
        ip_network: '203.0.113.0',
        conversions: 2,
        revenue: 42.75,
        largest_value: 30.25,
        best_page: '/thanks/again',
        engaged: true,
        bounce: false,
        pages_per_minute: 2 / (61 / 60),
        closed_by: 'gap',
      },
    ]);
  });

  it('to one page for some seconds bounces', () => {
    const { rows } = rowsOfBoth(model, [
      event(0, 'page_view', { page_url: '/' }),
      event(9, 'scroll', { page_url: '/' }),
    ]);
    expect(rows).toMatchObject([
      {
        page_views: 1,
        session_duration_sec: 9,
        engaged: false,
        bounce: true,
        revenue: null,
        pages_per_minute: 1,
      },
    ]);
  });

  it('ends half an hour after its last event, a repeated one included, which counts once', () => {
    const first = event(0, 'page_view', { page_url: '/' });
    const { rows } = rowsOfBoth(model, [
      first,
      { ...first, timestamp: new Date(START_MS + 1_800_000).toISOString() },
      event(3_600, 'page_view', { page_url: '/later' }),
      event(5_401, 'page_view', { page_url: '/another-visit' }),
    ]);
    expect(rows.map(({ total_events, page_views }) => [total_events, page_views])).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  it('to more pages than its list holds says how many are left out', () => {
    const events = Array.from({ length: 130 }, (_, i) => event(i, 'page_view', { page_url: `/${i}` }));
    const { rows } = rowsOfBoth(model, events);
    expect(rows).toMatchObject([{ unique_pages: 130, pages_left_out: 30 }]);
    expect(rows[0]!.pages).toHaveLength(100);
  });
});
