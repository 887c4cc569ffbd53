/**
 * Sessions of the model web_clicks, made by ClickHouse itself: a function of their number, so that every run has the same. 2,000 pages
 * and a fifth as many users as sessions; some 8 events a session; days in turn, so that a chunk has one session in thirty of each day.
 */

export const DAYS = 30;
const FIRST_DAY = '2026-01-01';

const COLUMNS: readonly (readonly [string, string])[] = [
  ['session_id', 'lower(hex(sipHash128(number)))'],
  ['user_id', 'toUInt32(cityHash64(number, 1) % {users})'],
  ['brand', "['bild', 'welt', 'upday', 'autobild', 'computerbild', 'sportbild'][1 + h1 % 6]"],
  ['country', "['DE', 'AT', 'CH', 'US', 'GB', 'FR', 'PL', 'ES'][1 + h2 % 8]"],
  ['city', "concat('city-', toString(h2 % 40))"],
  ['device_type', "['mobile', 'desktop', 'tablet'][1 + h3 % 3]"],
  ['device_os', "['iOS', 'Android', 'Windows', 'macOS', 'Linux'][1 + h3 % 5]"],
  ['browser', "['Safari', 'Chrome', 'Firefox', 'Edge'][1 + h3 % 4]"],
  ['subscription_tier', "['free', 'basic', 'premium'][1 + h4 % 3]"],
  ['user_segment', "['new', 'casual', 'regular', 'loyal'][1 + h4 % 4]"],
  ['session_start', 'started'],
  ['session_end', 'started + toIntervalSecond(seconds)'],
  ['session_duration_sec', 'seconds'],
  ['total_events', 'events'],
  ['article_views', 'toUInt16(events * 0.6)'],
  ['article_clicks', 'toUInt16(events * 0.15)'],
  ['video_plays', 'h5 % 2'],
  ['newsletter_signups', 'h5 % 50 = 0'],
  ['ad_clicks', 'h5 % 20 = 0'],
  ['searches', 'h5 % 10 = 0'],
  ['pages_visited_count', 'length(paths)'],
  ['unique_pages_count', 'length(arrayDistinct(paths))'],
  ['unique_categories_count', '1 + h5 % 3'],
  ['categories_visited', `concat('["category-', toString(h5 % 12), '"]')`],
  [
    'article_ids_visited',
    `concat('["', arrayStringConcat(arrayMap(p -> concat('a', toString(p)), paths), '","'), '"]')`,
  ],
  [
    'article_titles_visited',
    `concat('["', arrayStringConcat(arrayMap(p -> concat('What happened in the story number ', toString(p)), paths), '","'), '"]')`,
  ],
  [
    'page_events',
    `concat('[', arrayStringConcat(arrayMap((p, i) -> concat('{"t":', toString(toUnixTimestamp64Milli(started) + i * 17321), ',"type":"article_view","url":"https://www.news.example/article/', toString(p), '"}'), paths, arrayEnumerate(paths)), ','), ']')`,
  ],
  ['created_at', 'started + toIntervalSecond(seconds + 1800)'],
  ['batch_id', 'intDiv(number, 10000)'],
  ['file_id', 'intDiv(number, 5000)'],
  ['closed_by', "'gap'"],
  ['revision', '0'],
  ['sign', '1'],
];

/** One chunk. `users`: how many there are. */
export function insertChunk(table: string, from: number, count: number, users: number): string {
  const names = COLUMNS.map(([name]) => name).join(', ');
  const values = COLUMNS.map(([, value]) => value.replace('{users}', String(users))).join(',\n  ');
  const hashes = [1, 2, 3, 4, 5].map((i) => `cityHash64(number, ${i + 1}) AS h${i}`).join(', ');
  return `INSERT INTO ${table} (${names}) SELECT
  ${values}
FROM (
  SELECT number, ${hashes},
    toUInt16(1 + least(h1 % 9, h2 % 17) + h3 % 7) AS events,
    toUInt32(5 + h4 % 900) AS seconds,
    toDateTime64('${FIRST_DAY} 00:00:00', 3, 'UTC') + toIntervalDay(number % ${DAYS}) + toIntervalMillisecond(h5 % 86400000) AS started,
    arrayMap(i -> toUInt32(sqrt(cityHash64(number, i, 9) % 4000000)), range(1, 1 + toUInt16(ceil(events * 0.75)))) AS paths
  FROM numbers(${from}, ${count}))`;
}
