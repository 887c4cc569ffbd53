import { describe, expect, it } from 'vitest';
import { deltaSchema } from '#src/columnar/schema.js';
import { loadModel } from '#src/model/load.js';
import { loggedFields } from '#src/model/logged-fields.js';

describe('the model web_clicks', () => {
  const model = loadModel('web_clicks');

  it('has the 29 columns of its table with their types, in their order, and the engine’s behind them', () => {
    const shown = model.columns.map(({ name, type, nullable }) => `${name} ${type}${nullable ? '?' : ''}`);
    expect(shown).toEqual([
      'session_id string',
      'user_id uint32',
      'brand string?',
      'country string?',
      'city string?',
      'device_type string?',
      'device_os string?',
      'browser string?',
      'subscription_tier string?',
      'user_segment string?',
      'session_start time',
      'session_end time',
      'session_duration_sec uint32',
      'total_events uint16',
      'article_views uint16',
      'article_clicks uint16',
      'video_plays uint16',
      'newsletter_signups uint16',
      'ad_clicks uint16',
      'searches uint16',
      'pages_visited_count uint16',
      'unique_pages_count uint16',
      'unique_categories_count uint16',
      'categories_visited string',
      'article_ids_visited string',
      'article_titles_visited string',
      'page_events string',
      'created_at time',
      'batch_id uint64',
      'file_id uint64',
      'closed_by string',
      'revision uint32',
      'sign int8',
    ]);
    expect(model.columns.map(({ index }) => index)).toEqual(shown.map((_, index) => index));
    for (const [name, index] of Object.entries(model.columnIndex))
      expect(model.columns[index]!.name).toBe(name);
  });

  it('has Delta’s types for them', () => {
    const types = Object.fromEntries(deltaSchema(model).fields.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      session_id: 'string',
      user_id: 'long',
      session_start: 'timestamp',
      session_duration_sec: 'long',
      total_events: 'integer',
      searches: 'integer',
      unique_categories_count: 'integer',
      categories_visited: 'string',
      page_events: 'string',
      created_at: 'timestamp',
      batch_id: 'long',
      sign: 'integer',
      session_date: 'date',
    });
  });

  it('requires four fields of an event, one of them a whole number', () => {
    const required = model.fields.filter((field) => field.required).map((field) => field.path.join('.'));
    expect(required).toEqual(['event_type', 'session_id', 'timestamp', 'user_id']);
    expect(model.fields.find(({ path }) => path[0] === 'user_id')!.type).toBe('uint32');
    expect(model.fields[model.keyField]!.path).toEqual(['session_id']);
  });

  it('ends its sessions after half an hour or a session_end', () => {
    const field = model.fields.findIndex(({ path }) => path[0] === 'event_type');
    expect(model).toMatchObject({ gapMs: 1_800_000, endEvent: { field, oneOf: ['session_end'] } });
  });

  it('has low cardinality where a site has few values, and nowhere else', () => {
    const low = model.columns.filter(({ lowCardinality }) => lowCardinality).map(({ name }) => name);
    expect(low).toEqual([
      'brand',
      'country',
      'city',
      'device_type',
      'device_os',
      'browser',
      'subscription_tier',
      'user_segment',
      'closed_by',
    ]);
  });

  it('keeps of an event what its columns read, and neither its time nor its session twice', () => {
    const { fields, tracked } = loggedFields(model);
    const names = fields.map((field) => model.fields[field]!.path.join('.'));
    expect(names.toSorted()).toEqual(
      model.fields
        .map(({ path }) => path.join('.'))
        .filter((name) => name !== 'timestamp' && name !== 'session_id'),
    );
    expect(tracked).toBe(fields.length);
  });
});
