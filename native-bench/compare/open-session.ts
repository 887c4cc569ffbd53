import { EVENT_TYPES } from '#src/generator/journey.js';
import type { SessionCounts } from './session-sums.js';

/** What is read from an event here; the parser makes all the rest of it too. */
export interface ParsedEvent {
  user_id: string;
  timestamp: string;
  event_type: string;
  page_url?: string | null;
  geo?: { country?: string | null } | null;
  device?: { type?: string | null } | null;
}

const TYPE_PLACES = new Map<string, number>(EVENT_TYPES.map((type, place) => [type, place]));

/** A session of a plain program: an object that grows. */
export class OpenSession {
  #startMs = Number.POSITIVE_INFINITY;
  endMs = Number.NEGATIVE_INFINITY;
  #events = 0;
  readonly #byType = EVENT_TYPES.map(() => 0);
  readonly #pages = new Set<string>();
  #country: string | null = null;
  #countryMs = Number.POSITIVE_INFINITY;
  #device: string | null = null;
  #deviceMs = Number.POSITIVE_INFINITY;

  add(event: ParsedEvent, timeMs: number): void {
    if (timeMs < this.#startMs) this.#startMs = timeMs;
    if (timeMs > this.endMs) this.endMs = timeMs;
    this.#events++;
    const type = TYPE_PLACES.get(event.event_type);
    if (type !== undefined) this.#byType[type]!++;
    const { page_url: page } = event;
    if (page !== undefined && page !== null) this.#pages.add(page);
    const country = event.geo?.country ?? null;
    if (country !== null && timeMs < this.#countryMs) {
      this.#country = country;
      this.#countryMs = timeMs;
    }
    const device = event.device?.type ?? null;
    if (device !== null && timeMs < this.#deviceMs) {
      this.#device = device;
      this.#deviceMs = timeMs;
    }
  }

  get counts(): SessionCounts {
    return {
      durationMs: this.endMs - this.#startMs,
      events: this.#events,
      pages: this.#pages.size,
      country: this.#country,
      device: this.#device,
      byType: this.#byType,
    };
  }
}
