import { readFileSync } from 'node:fs';
import { compileModel } from '#src/model/compile.js';
import type { CompiledModel } from '#src/model/types.js';

/** `clickstream` with more columns over the same fields and events: of every kind, as many as people add. */

/** From the checkout, where benchmarks are run. */
const CLICKSTREAM = 'config/models/clickstream.yaml';

/** Beside those that the engine adds to each row. */
export const WIDE_COLUMNS = 60;

const SHOP = '{ field: event_type, in: [add_to_cart, purchase] }';
const MORE = `
  last_referrer: { op: last, field: referrer }
  last_user_agent: { op: last, field: user_agent }
  last_ip_address: { op: last, field: ip_address }
  last_country: { op: last, field: geo.country, low_cardinality: true }
  last_city: { op: last, field: geo.city, low_cardinality: true }
  last_device_type: { op: last, field: device.type, low_cardinality: true }
  last_os: { op: last, field: device.os, low_cardinality: true }
  last_browser: { op: last, field: device.browser, low_cardinality: true }
  northernmost: { op: max, field: geo.latitude }
  southernmost: { op: min, field: geo.latitude }
  easternmost: { op: max, field: geo.longitude }
  westernmost: { op: min, field: geo.longitude }
  latitude_mean: { op: avg, field: geo.latitude }
  longitude_sum: { op: sum, field: geo.longitude }
  northernmost_city: { op: argmax, field: geo.city, by: geo.latitude }
  southernmost_page: { op: argmin, field: page_url, by: geo.latitude }
  countries: { op: count_distinct, field: geo.country }
  browsers: { op: count_distinct, field: device.browser }
  products_seen: { op: count_values, field: metadata.product_id }
  categories_seen: { op: count_distinct, field: metadata.category }
  entry_product: { op: first, field: metadata.product_id }
  exit_product: { op: last, field: metadata.product_id }
  shop_events: { op: count_if, ...SHOP }
  shop_entry: { op: first, field: page_url, where: SHOP }
  shop_exit: { op: last, field: page_url, where: SHOP }
  shop_products: { op: set, field: metadata.product_id, limit: 16, where: SHOP }
  shop_pages: { op: list, field: page_url, limit: 16, where: SHOP }
  more_pages: { op: overflow, of: pages }
  route: { op: concat, of: [entry_page, exit_page], separator: " > " }
  events_a_minute: { op: calculate, formula: "total_events / (session_duration_sec / 60)" }
  conversion: { op: calculate, formula: "purchases / page_views" }
  engaged: { op: calculate, formula: "session_duration_sec >= 10 or total_events > 1", type: bool }
`;

export function wideModel(): CompiledModel {
  const more = MORE.replaceAll('...SHOP', SHOP.slice(2, -2)).replaceAll('where: SHOP', `where: ${SHOP}`);
  const model = compileModel(`${readFileSync(CLICKSTREAM, 'utf8')}${more}`, 'wide.yaml');
  const own = ownColumns(model);
  if (own !== WIDE_COLUMNS) throw new Error(`the wide model has ${own} columns, not ${WIDE_COLUMNS}`);
  return { ...model, name: 'wide' };
}

/** Those that are not the engine's. */
export function ownColumns({ columns }: CompiledModel): number {
  return columns.filter(({ op }) => !ENGINE_OPS.has(op.op)).length;
}

const ENGINE_OPS = new Set(['created_at', 'batch_id', 'file_id', 'closed_by', 'revision', 'sign']);
