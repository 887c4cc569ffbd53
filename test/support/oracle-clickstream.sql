-- Sessions of the clickstream model by SQL alone, over the records as they lie in Kafka.
-- Nothing of the engine is used here: the rules are those of the model's documentation, written down a second time.
-- Placeholders: raw_file, RowBinary of partition UInt32, offset UInt64, key String, value String; record_filter, a condition.
WITH
parsed AS (
  SELECT
    partition,
    offset,
    JSONExtract(
      value,
      'Tuple(
        timestamp Nullable(String), user_id Nullable(String), session_id Nullable(String),
        event_type Nullable(String), page_url Nullable(String), referrer Nullable(String),
        user_agent Nullable(String), ip_address Nullable(String),
        geo Tuple(country Nullable(String), city Nullable(String),
          latitude Nullable(Float64), longitude Nullable(Float64)),
        device Tuple(type Nullable(String), os Nullable(String), browser Nullable(String)),
        metadata Tuple(product_id Nullable(String), category Nullable(String)))'
    ) AS e
  FROM file('{raw_file}', 'RowBinary', 'partition UInt32, offset UInt64, key String, value String')
  WHERE {record_filter}
),
events AS (
  SELECT
    partition,
    offset,
    assumeNotNull(e.user_id) AS user_id,
    toUnixTimestamp64Milli(parseDateTime64BestEffort(assumeNotNull(e.timestamp), 9, 'UTC')) AS at_ms,
    assumeNotNull(e.event_type) AS event_type,
    e
  FROM parsed
),
marked AS (
  SELECT
    *,
    row_number() OVER by_time = 1 OR at_ms - lagInFrame(at_ms) OVER by_time > 30 * 60 * 1000 AS opens
  FROM events
  WINDOW by_time AS (
    PARTITION BY partition, user_id ORDER BY at_ms, offset
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
numbered AS (
  SELECT
    *,
    sum(opens) OVER (
      PARTITION BY partition, user_id ORDER BY at_ms, offset
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM marked
),
grouped AS (
  SELECT
    partition,
    user_id,
    min(at_ms) AS start_ms,
    max(at_ms) AS end_ms,
    count() AS total_events,
    countIf(event_type = 'page_view') AS page_views,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type = 'add_to_cart') AS add_to_carts,
    countIf(event_type = 'purchase') AS purchases,
    countIf(event_type = 'search') AS searches,
    arrayMap(x -> x.3, arraySort(groupArray((at_ms, offset, e)))) AS es,
    arrayFilter(x -> x IS NOT NULL, arrayMap(x -> x.page_url, es)) AS urls,
    arrayFilter(x -> x IS NOT NULL, arrayMap(x -> x.metadata.product_id, es)) AS products,
    arrayFilter(x -> x IS NOT NULL, arrayMap(x -> x.metadata.category, es)) AS kinds
  FROM numbered
  GROUP BY partition, user_id, session_number
)
SELECT
  partition,
  user_id || ':' || toString(start_ms) AS session_id,
  user_id,
  start_ms AS session_start,
  end_ms AS session_end,
  intDiv(end_ms - start_ms, 1000) AS session_duration_sec,
  total_events,
  page_views,
  clicks,
  add_to_carts,
  purchases,
  searches,
  if(empty(urls), NULL, urls[1]) AS entry_page,
  if(empty(urls), NULL, urls[-1]) AS exit_page,
  length(arrayDistinct(urls)) AS unique_pages,
  arraySlice(urls, 1, 256) AS pages,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.referrer, es)) AS referrer,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.user_agent, es)) AS user_agent,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.ip_address, es)) AS ip_address,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.geo.country, es)) AS country,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.geo.city, es)) AS city,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.geo.latitude, es)) AS latitude,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.geo.longitude, es)) AS longitude,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.device.type, es)) AS device_type,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.device.os, es)) AS os,
  arrayFirstOrNull(x -> x IS NOT NULL, arrayMap(x -> x.device.browser, es)) AS browser,
  length(arrayDistinct(arrayFilter(x -> x IS NOT NULL, arrayMap(x -> x.session_id, es)))) AS source_session_ids,
  -- by first appearance: the first one of each value is the one whose running number among its equals is 1
  arraySlice(arrayFilter((x, n) -> n = 1, products, arrayEnumerateUniq(products)), 1, 64) AS product_ids,
  arraySlice(arrayFilter((x, n) -> n = 1, kinds, arrayEnumerateUniq(kinds)), 1, 64) AS categories,
  toString(toDate(fromUnixTimestamp64Milli(start_ms, 'UTC'))) AS session_date
FROM grouped
FORMAT JSONEachRow
