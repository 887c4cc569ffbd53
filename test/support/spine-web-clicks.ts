import type { Random } from '#src/random.js';
import { type Maybe, maybe, pick } from './spine-chance.js';
import type { SpineForm } from './spine-events.js';

/**
 * What awkward events of the web_clicks model say.
 *
 * - A session_end may come in the middle, twice in a row, first of all, or at the very time of other events.
 * - Articles come back with another title or none, and as events that no list of articles takes.
 * - A crowd has more than 1,000 pages, articles and categories, and no session_end.
 */
export const WEB_CLICKS_FORM: SpineForm = {
  keyOf: (user, random) => pick(random, KEY_FORMS)(user),
  eventOf,
  crowdEventsMin: 2200,
};

interface PlainEvent {
  event_id: Maybe<string>;
  atMs: number;
  session_id: string;
  user_id: number;
  event_type: string;
  brand: Maybe<string>;
  country: Maybe<string>;
  city: Maybe<string>;
  device_type: Maybe<string>;
  device_os: Maybe<string>;
  browser: Maybe<string>;
  subscription_tier: Maybe<string>;
  user_segment: Maybe<string>;
  page_url: Maybe<string>;
  category: Maybe<string>;
  article_id: Maybe<string>;
  article_title: Maybe<string>;
}

const KEY_FORMS = [
  (n: number) => `session-${n}`,
  (n: number) => `${n}`,
  (n: number) => `{key}:${n}`,
  (n: number) => `визит ${n}`,
  (n: number) => `👩‍🚀${n}`,
];
const READING = ['article_view', 'article_view', 'article_click'];
const TYPES = [
  ...READING,
  ...READING,
  'video_play',
  'newsletter_signup',
  'subscription_prompt',
  'ad_click',
  'search',
  'navigation',
];
const ODD_TYPES = ['Article_View', '', 'session_ended'];
const BRANDS = ['Morgenpost', 'Der Bote', "L'Écho", '毎朝新聞', ''];
const PATHS = ['/', '/politik/', '/a"b\\c/', '/tab\tnew\nline/', '/🛒/', '/\u0001\u001f\u007f\u2028/'];
const TITLES = ['Wer zahlt?', 'He said "no"', '東京\\大阪', '', '</script>', '\u2029\u0000', 'é'.repeat(300)];

function eventOf(key: string, atMs: number, random: Random, crowded: boolean): PlainEvent {
  const article = `a-${random.below(crowded ? 9000 : 6)}`;
  const ends = !crowded && random.below(12) === 0;
  return {
    event_id: maybe(random, () => random.id63().toString(16)),
    atMs,
    session_id: key,
    user_id: pick(random, [0, 1, 42, 2 ** 31, 2 ** 32 - 1, random.below(2 ** 31)]),
    event_type: ends ? 'session_end' : typeOf(random, crowded),
    brand: maybe(random, () => pick(random, BRANDS)),
    country: maybe(random, () => pick(random, ['DE', 'AT', 'CH', 'JP'])),
    city: maybe(random, () => pick(random, ['Berlin', 'Zürich', '東京', "L'Aquila", ''])),
    device_type: maybe(random, () => pick(random, ['mobile', 'desktop', 'tablet'])),
    device_os: maybe(random, () => pick(random, ['Linux', 'iOS', 'Android'])),
    browser: maybe(random, () => pick(random, ['Firefox', 'Chrome', 'Ελληνικά'])),
    subscription_tier: maybe(random, () => pick(random, ['free', 'plus', 'premium'])),
    user_segment: maybe(random, () => pick(random, ['new', 'returning', 'loyal'])),
    page_url: maybe(random, () => `https://news.example${pick(random, PATHS)}${random.below(40)}`),
    category: maybe(random, () => `category ${random.below(crowded ? 9000 : 5)}/"x"`),
    article_id: maybe(random, () => article),
    article_title: maybe(random, () => `${pick(random, TITLES)} ${article}`),
  };
}

function typeOf(random: Random, crowded: boolean): string {
  if (crowded) return pick(random, READING);
  return pick(random, random.below(30) === 0 ? ODD_TYPES : TYPES);
}
