import type { Random } from '../random.js';
import { anyArticle, anySection, type Brand, type NewsPage } from './news-site.js';
import { Weighted } from './weighted.js';

/** One visit to a newspaper, step by step. */

export const WEB_EVENT_TYPES = [
  'article_view',
  'article_click',
  'video_play',
  'newsletter_signup',
  'subscription_prompt',
  'ad_click',
  'search',
  'navigation',
] as const;
export type WebEventType = (typeof WEB_EVENT_TYPES)[number];

/** Shares of the event types, in percent; what only ends a session comes on top. */
export const WEB_EVENT_SHARES: Readonly<Record<WebEventType, number>> = {
  article_view: 60,
  article_click: 15,
  video_play: 5,
  newsletter_signup: 2,
  subscription_prompt: 3,
  ad_click: 5,
  search: 5,
  navigation: 5,
};
const TYPES = new Weighted<WebEventType>(WEB_EVENT_TYPES.map((type) => [WEB_EVENT_SHARES[type], type]));

/** What the reader does in one event. */
export interface ReadingStep {
  type: WebEventType;
  /** Where it happens. */
  page: NewsPage;
  /** The page whose article the event names: the one that is read, or the one that was clicked. */
  about: NewsPage;
}

export class Reading {
  readonly #brand: Brand;
  #page: NewsPage;
  /** What was clicked and is read next. */
  #clicked: NewsPage | null = null;

  constructor(brand: Brand) {
    this.#brand = brand;
    this.#page = brand.front;
  }

  next(random: Random): ReadingStep {
    const type = TYPES.draw(random);
    if (type === 'article_click') {
      this.#clicked = anyArticle(random, this.#brand);
      return { type, page: this.#page, about: this.#clicked };
    }
    this.#page = this.#pageOf(type, random);
    return { type, page: this.#page, about: this.#page };
  }

  #pageOf(type: WebEventType, random: Random): NewsPage {
    switch (type) {
      case 'article_view': {
        const page = this.#clicked ?? anyArticle(random, this.#brand);
        this.#clicked = null;
        return page;
      }
      case 'search':
        return this.#brand.search;
      case 'navigation':
        return random.below(3) === 0 ? this.#brand.front : anySection(random, this.#brand);
      default:
        return this.#page;
    }
  }
}
