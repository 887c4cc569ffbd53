-- Sessions of the web_clicks model by SQL alone, over the records as they lie in Kafka.
-- Nothing of the engine is used here: the rules are those of the model's documentation, written down a second time.
-- Placeholders: raw_file, RowBinary of partition UInt32, offset UInt64, key String, value String; record_filter, a condition.
-- The four collections come as arrays; the table has them as JSON texts.
WITH
parsed AS (
  SELECT
    partition,
    offset,
    JSONExtract(
      value,
      'Tuple(
        timestamp Nullable(String), session_id Nullable(String), user_id Nullable(UInt32),
        event_type Nullable(String), brand Nullable(String), country Nullable(String), city Nullable(String),
        device_type Nullable(String), device_os Nullable(String), browser Nullable(String),
        subscription_tier Nullable(String), user_segment Nullable(String), page_url Nullable(String),
        category Nullable(String), article_id Nullable(String), article_title Nullable(String))'
    ) AS e
  FROM file('{raw_file}', 'RowBinary', 'partition UInt32, offset UInt64, key String, value String')
  WHERE {record_filter}
),
events AS (
  SELECT
    partition,
    offset,
    assumeNotNull(e.session_id) AS session_id,
    toUnixTimestamp64Milli(parseDateTime64BestEffort(assumeNotNull(e.timestamp), 9, 'UTC')) AS at_ms,
    assumeNotNull(e.event_type) AS event_type,
    event_type = 'session_end' AS is_end,
    e
  FROM parsed
),
-- events at the very time of a session_end belong to the session that it ends: it comes behind them
marked AS (
  SELECT
    *,
    row_number() OVER by_time = 1
      OR lagInFrame(is_end) OVER by_time
      OR at_ms - lagInFrame(at_ms) OVER by_time > 30 * 60 * 1000 AS opens
  FROM events
  WINDOW by_time AS (
    PARTITION BY partition, session_id ORDER BY at_ms, is_end, offset
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
numbered AS (
  SELECT
    *,
    sum(opens) OVER (
      PARTITION BY partition, session_id ORDER BY at_ms, is_end, offset
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM marked
),
grouped AS (
  SELECT
    partition,
    session_id,
    min(at_ms) AS start_ms,
    max(at_ms) AS end_ms,
    count() AS total_events,
    countIf(event_type = 'article_view') AS article_views,
    countIf(event_type = 'article_click') AS article_clicks,
    countIf(event_type = 'video_play') AS video_plays,
    countIf(event_type = 'newsletter_signup') AS newsletter_signups,
    countIf(event_type = 'ad_click') AS ad_clicks,
    countIf(event_type = 'search') AS searches,
    arraySort(groupArray((at_ms, offset, e))) AS timed,
    arrayMap(x -> x.3, timed) AS es,
    arrayFilter(x -> x IS NOT NULL, arrayMap(x -> x.page_url, es)) AS urls,
    arrayFilter(x -> x IS NOT NULL, arrayMap(x -> x.category, es)) AS kinds,
    arrayFilter(x -> x.event_type IN ('article_view', 'article_click') AND x.article_id IS NOT NULL, es) AS reads,
    -- by first appearance: the first one of each value is the one whose running number among its equals is 1
    arrayFilter((x, n) -> n = 1, reads, arrayEnumerateUniq(arrayMap(x -> x.article_id, reads))) AS articles
  FROM numbered
  WHERE NOT is_end
  GROUP BY partition, session_id, session_number
)
SELECT
  partition,
  session_id,
  assumeNotNull(es[1].user_id) AS user_id,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.brand, es)) AS brand,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.country, es)) AS country,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.city, es)) AS city,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.device_type, es)) AS device_type,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.device_os, es)) AS device_os,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.browser, es)) AS browser,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.subscription_tier, es)) AS subscription_tier,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.user_segment, es)) AS user_segment,
  start_ms AS session_start,
  end_ms AS session_end,
  intDiv(end_ms - start_ms, 1000) AS session_duration_sec,
  least(total_events, 65535) AS total_events,
  least(article_views, 65535) AS article_views,
  least(article_clicks, 65535) AS article_clicks,
  least(video_plays, 65535) AS video_plays,
  least(newsletter_signups, 65535) AS newsletter_signups,
  least(ad_clicks, 65535) AS ad_clicks,
  least(searches, 65535) AS searches,
  least(length(urls), 65535) AS pages_visited_count,
  least(length(arrayDistinct(urls)), 65535) AS unique_pages_count,
  least(length(arrayDistinct(kinds)), 65535) AS unique_categories_count,
  arraySlice(arrayFilter((x, n) -> n = 1, kinds, arrayEnumerateUniq(kinds)), 1, 1000) AS categories_visited,
  arraySlice(arrayMap(x -> x.article_id, articles), 1, 1000) AS article_ids_visited,
  arraySlice(arrayMap(x -> x.article_title, articles), 1, 1000) AS article_titles_visited,
  arraySlice(
    arrayMap(
      x -> CAST((x.1, x.3.event_type, x.3.page_url), 'Tuple(t Int64, type Nullable(String), url Nullable(String))'),
      arrayFilter(x -> x.3.page_url IS NOT NULL, timed)
    ),
    1, 1000
  ) AS page_events,
  toString(toDate(fromUnixTimestamp64Milli(start_ms, 'UTC'))) AS session_date
FROM grouped
FORMAT JSONEachRow
