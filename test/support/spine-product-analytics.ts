import type { Random } from '#src/random.js';
import { type Maybe, maybe, pick } from './spine-chance.js';
import type { SpineForm } from './spine-events.js';

/**
 * What awkward events of the product_analytics model say: ids that come again, pings that are no visit, addresses that are
 * none, values of all kinds of number. A crowd has more pages than a row lists.
 */
export const PRODUCT_ANALYTICS_FORM: SpineForm = {
  keyOf: (device) => `device-${device}`,
  eventOf,
  crowdEventsMin: 300,
};

interface PlainEvent {
  atMs: number;
  event_id: string;
  device_id: string;
  user_id: Maybe<string>;
  event_type: string;
  page_url: Maybe<string>;
  referrer: Maybe<string>;
  utm: Maybe<{ source: Maybe<string>; medium: Maybe<string>; campaign: Maybe<string> }>;
  value: Maybe<number>;
  country: Maybe<string>;
  device_type: Maybe<string>;
  os: Maybe<string>;
  browser: Maybe<string>;
  ip_address: Maybe<string>;
}

const TYPES = ['page_view', 'page_view', 'page_view', 'click', 'purchase', 'sign_up', 'heartbeat', ''];
const NO_ADDRESSES = ['', 'localhost', '300.1.1.1', '1.2.3', '01.2.3.4', '1.2.3.4 '];

function eventOf(key: string, atMs: number, random: Random): PlainEvent {
  return {
    atMs,
    event_id: random.below(5) === 0 ? `again-${random.below(3)}` : random.id63().toString(16),
    device_id: key,
    user_id: maybe(random, () => `u-${random.below(3)}`),
    event_type: pick(random, TYPES),
    page_url: maybe(random, () => `/p/${random.below(300)}`),
    referrer: maybe(random, () => pick(random, ['https://news.example/', ''])),
    utm: maybe(random, () => ({
      source: maybe(random, () => pick(random, ['news', 'mail'])),
      medium: maybe(random, () => 'email'),
      campaign: maybe(random, () => `spring ${random.below(3)}`),
    })),
    value: maybe(random, () => (random.below(2) === 0 ? random.below(20) : random.float() * 100)),
    country: maybe(random, () => pick(random, ['DE', 'BR', 'JP'])),
    device_type: maybe(random, () => pick(random, ['mobile', 'desktop'])),
    os: maybe(random, () => pick(random, ['Linux', 'iOS'])),
    browser: maybe(random, () => pick(random, ['Firefox', 'Ελληνικά'])),
    ip_address: maybe(random, () =>
      random.below(4) === 0
        ? pick(random, NO_ADDRESSES)
        : `${random.below(256)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`,
    ),
  };
}
