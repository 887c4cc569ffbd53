import type { Random } from '../random.js';
import { putHead } from './event-head.js';
import { fieldText, type Habit } from './json-text.js';
import type { FieldBytes } from './news-site.js';
import type { Profile } from './profile.js';
import { type ReadingStep, WEB_EVENT_TYPES, type WebEventType } from './reading.js';
import type { Slab } from './slab.js';
import { Weighted } from './weighted.js';

/**
 * The JSON of one visit's events, all fields flat. Some producers leave fields out, some write null, some escape what is
 * not ASCII; which of these is decided once a visit. Now and then an article's title, or a page, is missing.
 */

const END = Buffer.from('}');
const ABSENT = new Uint8Array(0);
const URL_NULL = Buffer.from(',"page_url":null');
const CATEGORY_NULL = Buffer.from(',"category":null');
const ID_NULL = Buffer.from(',"article_id":null');
const TITLE_NULL = Buffer.from(',"article_title":null');
const TIERS = new Weighted<string | null>([
  [58, 'free'],
  [22, 'basic'],
  [14, 'premium'],
  [6, null],
]);
const SEGMENTS = new Weighted<string | null>([
  [30, 'casual'],
  [24, 'news junkie'],
  [20, 'sports fan'],
  [14, 'Börse & Märkte'],
  [12, null],
]);

const SESSION_END = 'session_end';
/** Behind the session's ids. */
const TYPE = new Map<string, Uint8Array>(
  [...WEB_EVENT_TYPES, SESSION_END].map((type) => [type, Buffer.from(`${type}"`)]),
);

export class WebEventWriter {
  /** The visit's brand and country, null where its events have none. */
  readonly brand: string | null;
  readonly country: string | null;
  readonly #ids: Uint8Array;
  readonly #session: Uint8Array;
  readonly #habit: Habit;

  constructor(profile: Profile, userNumber: number, sessionId: string, brand: string, random: Random) {
    this.#habit = { writesNull: random.below(2) === 0, escapes: profile.escapes };
    this.brand = random.below(100) === 0 ? null : brand;
    this.country = random.below(100) < 3 ? null : profile.place.country;
    this.#ids = Buffer.from(`","session_id":"${sessionId}","user_id":${userNumber},"event_type":"`);
    const city = random.below(100) < 6 ? null : profile.place.city;
    const { type, os, browser } = profile.device;
    const values = {
      brand: this.brand,
      country: this.country,
      city,
      device_type: type,
      device_os: random.below(50) === 0 ? null : os,
      browser: random.below(50) === 0 ? null : browser,
      subscription_tier: TIERS.draw(random),
      user_segment: SEGMENTS.draw(random),
    };
    const fields = Object.entries(values).map(([name, value]) => fieldText(name, value, this.#habit));
    this.#session = Buffer.from(fields.join(''));
  }

  /** One event. `knowsPage`: it has a page_url. */
  write(slab: Slab, random: Random, timeMs: number, step: ReadingStep, knowsPage: boolean): Buffer {
    const { page, about } = step;
    this.#begin(slab, random, timeMs, step.type);
    this.#put(slab, knowsPage ? page.urlField : null, URL_NULL);
    this.#put(slab, random.below(40) === 0 ? null : about.category, CATEGORY_NULL);
    this.#put(slab, about.article === null ? null : about.article.idField, ID_NULL);
    const titled = about.article !== null && random.below(20) > 0;
    this.#put(slab, titled ? about.article!.titleField : null, TITLE_NULL);
    slab.put(END);
    return slab.end();
  }

  /** The event that says that the visit is over. */
  writeEnd(slab: Slab, random: Random, timeMs: number): Buffer {
    this.#begin(slab, random, timeMs, SESSION_END);
    slab.put(END);
    return slab.end();
  }

  #begin(slab: Slab, random: Random, timeMs: number, type: WebEventType | typeof SESSION_END): void {
    putHead(slab, random, timeMs);
    slab.put(this.#ids);
    slab.put(TYPE.get(type)!);
    slab.put(this.#session);
  }

  #put(slab: Slab, field: FieldBytes | null, nullField: Uint8Array): void {
    if (field !== null) slab.put(this.#habit.escapes ? field.escaped : field.plain);
    else slab.put(this.#habit.writesNull ? nullField : ABSENT);
  }
}
