import type { Random } from '../../random.js';
import { anyOf } from '../weighted.js';

/**
 * Events as a plain load loop makes them: every value drawn for itself, no journey, each event a session of its own. For
 * throughput; what it says of people is nonsense on purpose.
 */

const TYPES = ['page_view', 'click', 'add_to_cart', 'purchase', 'search'];
const PAGES = ['/', '/products', '/products/12345', '/cart', '/checkout', '/search'];
const CATEGORY_PAGES = ['/category/electronics', '/category/fashion'];
const REFERRERS = [
  'https://google.com',
  'https://facebook.com',
  'https://twitter.com',
  'direct',
  'https://instagram.com',
];
const COUNTRIES = ['US', 'UK', 'CA', 'DE', 'FR', 'JP', 'AU', 'IN'];
const DEVICES = ['desktop', 'mobile', 'tablet'];
const SYSTEMS = ['iOS', 'Android', 'Windows', 'macOS', 'Linux'];
const BROWSERS = ['Chrome', 'Safari', 'Firefox', 'Edge'];
const CITIES = 100;
const PRODUCTS = 10_000;
const CATEGORIES = 20;

/** Of `clickstream`: the fields behind the ids, each time with a comma before it. */
export function loopEventTails(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => {
    const fields = {
      event_type: anyOf(random, TYPES),
      page_url: anyOf(random, [...PAGES, ...CATEGORY_PAGES]),
      referrer: anyOf(random, REFERRERS),
      user_agent: `Mozilla/5.0 (${anyOf(random, SYSTEMS)}) ${anyOf(random, BROWSERS)}`,
      // of the ranges set aside for benchmarks, so that nobody's address is meant
      ip_address: `198.${18 + random.below(2)}.${random.below(256)}.${random.below(256)}`,
      geo: {
        country: anyOf(random, COUNTRIES),
        city: `City-${random.below(CITIES)}`,
        latitude: random.float() * 180 - 90,
        longitude: random.float() * 360 - 180,
      },
      device: { type: anyOf(random, DEVICES), os: anyOf(random, SYSTEMS), browser: anyOf(random, BROWSERS) },
      metadata: {
        product_id: String(random.below(PRODUCTS)),
        category: `category-${random.below(CATEGORIES)}`,
      },
    };
    return `,${JSON.stringify(fields).slice(1, -1)}`;
  });
}
