import type { Random } from '#src/random.js';
import { type Maybe, maybe, pick } from './spine-chance.js';
import type { SpineForm } from './spine-events.js';

/** What awkward events of the clickstream model say: a crowd has hundreds of pages and more than 64 products. */

export const CLICKSTREAM_FORM: SpineForm = {
  keyOf: (user, random) => pick(random, USER_FORMS)(user),
  eventOf,
  crowdEventsMin: 400,
};

interface PlainEvent {
  event_id: Maybe<string>;
  atMs: number;
  user_id: string;
  session_id: Maybe<string>;
  event_type: string;
  page_url: Maybe<string>;
  referrer: Maybe<string>;
  user_agent: Maybe<string>;
  ip_address: Maybe<string>;
  geo: Maybe<{
    country: Maybe<string>;
    city: Maybe<string>;
    latitude: Maybe<number>;
    longitude: Maybe<number>;
  }>;
  device: Maybe<{ type: Maybe<string>; os: Maybe<string>; browser: Maybe<string> }>;
  metadata: Maybe<Record<string, Maybe<string>>>;
}

const USER_FORMS = [
  (n: number) => `user-${n}`,
  (n: number) => `u${n}:x`,
  (n: number) => `пользователь ${n}`,
  (n: number) => `👩‍🚀${n}`,
  (n: number) => `${n}`,
];

const TYPES = ['page_view', 'page_view', 'page_view', 'click', 'click', 'add_to_cart', 'purchase', 'search'];
const PATHS = ['/', '/shop/', '/shop/ärmel/', '/検索?q=', '/p/', '/a"b\\c/', '/tab\tnew\nline/', '/🛒/'];
const CITIES = ['Berlin', 'São Paulo', '東京', "L'Aquila", ''];
const BROWSERS = ['Firefox', 'Chrome', 'Safari', 'Ελληνικά'];
const LONG_AGENT = `Mozilla/5.0 (${'x'.repeat(700)})`;

function eventOf(userId: string, atMs: number, random: Random): PlainEvent {
  return {
    event_id: maybe(random, () => random.id63().toString(16)),
    atMs,
    user_id: userId,
    session_id: maybe(random, () => `s-${random.below(4)}`),
    event_type: random.below(30) === 0 ? pick(random, ['scroll', 'Page_View', '']) : pick(random, TYPES),
    page_url: maybe(random, () => `https://shop.example${pick(random, PATHS)}${random.below(50)}`),
    referrer: maybe(random, () => pick(random, ['https://search.example/?q=ü', 'https://news.example/', ''])),
    user_agent: maybe(random, () => (random.below(50) === 0 ? LONG_AGENT : `agent/${random.below(90)}.0`)),
    ip_address: maybe(random, () => `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`),
    geo: maybe(random, () => ({
      country: maybe(random, () => pick(random, ['DE', 'BR', 'JP', 'IT', 'US'])),
      city: maybe(random, () => pick(random, CITIES)),
      latitude: maybe(random, () => coordinate(random, 90)),
      longitude: maybe(random, () => coordinate(random, 180)),
    })),
    device: maybe(random, () => ({
      type: maybe(random, () => pick(random, ['mobile', 'desktop', 'tablet'])),
      os: maybe(random, () => pick(random, ['Linux', 'iOS', 'Android'])),
      browser: maybe(random, () => pick(random, BROWSERS)),
    })),
    metadata: maybe(random, () => ({
      product_id: maybe(random, () => `p-${random.below(500)}`),
      category: maybe(random, () => `category ${random.below(120)}`),
      campaign: maybe(random, () => 'spring "24"'),
    })),
  };
}

/** Degrees of all kinds of text: whole, many digits, with an exponent. */
function coordinate(random: Random, bound: number): number {
  const value = (random.float() * 2 - 1) * bound;
  const kind = random.below(4);
  if (kind === 0) return Math.round(value);
  if (kind === 1) return value * 1e-9;
  return kind === 2 ? value : Number(value.toFixed(4));
}
