import type { Random } from '../random.js';
import { putHead } from './event-head.js';
import type { EventType, Step } from './journey.js';
import { fieldText, type Habit } from './json-text.js';
import type { Profile } from './profile.js';
import type { Page } from './shop.js';
import type { Slab } from './slab.js';

/**
 * The JSON of one visit's events. As in life, some producers leave fields out, some write null, some escape what is not
 * ASCII; which of these is decided once a visit.
 */

const NULL = Buffer.from('null');
const END = Buffer.from('}');
const ABSENT = new Uint8Array(0);
const METADATA_NULL = Buffer.from(',"metadata":null');
const TYPE_AND_URL: Record<EventType, Uint8Array> = {
  page_view: typeAndUrl('page_view'),
  click: typeAndUrl('click'),
  add_to_cart: typeAndUrl('add_to_cart'),
  purchase: typeAndUrl('purchase'),
  search: typeAndUrl('search'),
};

function typeAndUrl(type: EventType): Uint8Array {
  return Buffer.from(`${type}","page_url":`);
}

export class EventWriter {
  /** geo.country of the visit's events, null when they have none. */
  readonly country: string | null;
  readonly #ids: Uint8Array;
  readonly #entryReferrer: Uint8Array;
  readonly #tail: Uint8Array;
  readonly #noMetadata: Uint8Array;
  readonly #escapes: boolean;

  constructor(profile: Profile, sessionId: string, referrer: string | null, random: Random) {
    const habit: Habit = { writesNull: random.below(2) === 0, escapes: profile.escapes };
    const field = (name: string, value: unknown) => fieldText(name, value, habit);
    const geo = geoOf(profile, random);
    this.country = geo?.country ?? null;
    this.#escapes = profile.escapes;
    this.#noMetadata = habit.writesNull ? METADATA_NULL : ABSENT;
    this.#ids = Buffer.from(`","user_id":"${profile.userId}","session_id":"${sessionId}","event_type":"`);
    this.#entryReferrer = Buffer.from(field('referrer', referrer));
    const fields = [
      field('user_agent', random.below(100) === 0 ? null : profile.device.userAgent),
      field('ip_address', random.below(50) === 0 ? null : profile.ipAddress),
      field('geo', geo),
      field('device', deviceOf(profile, random)),
    ];
    this.#tail = Buffer.from(fields.join(''));
  }

  /** One event. `knowsPage`: page_url is not null. `from`: the page before, null at the entry. */
  write(
    slab: Slab,
    random: Random,
    timeMs: number,
    step: Step,
    knowsPage: boolean,
    from: Page | null,
  ): Buffer {
    putHead(slab, random, timeMs);
    slab.put(this.#ids);
    slab.put(TYPE_AND_URL[step.type]);
    slab.put(knowsPage ? step.page.urlJson : NULL);
    slab.put(from === null ? this.#entryReferrer : from.referrerField);
    slab.put(this.#tail);
    if (step.metadata === null) slab.put(this.#noMetadata);
    else slab.put(this.#escapes ? step.metadata.escapedField : step.metadata.field);
    slab.put(END);
    return slab.end();
  }
}

interface Geo {
  country: string;
  city: string | null;
  latitude?: number;
  longitude?: number;
}

function geoOf(profile: Profile, random: Random): Geo | null {
  const chance = random.below(100);
  if (chance < 3) return null;
  const { country, city, latitude, longitude } = profile.place;
  if (chance < 6) return { country, city: null, latitude, longitude };
  if (chance < 8) return { country, city };
  return { country, city, latitude, longitude };
}

function deviceOf(profile: Profile, random: Random): object | null {
  const chance = random.below(100);
  if (chance < 2) return null;
  const { type, os, browser } = profile.device;
  return chance < 4 ? { type, os } : { type, os, browser };
}
