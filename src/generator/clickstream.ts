/**
 * A deterministic stream of clickstream events: users who live through sessions, many at a time. What holds for all seeds
 * is said in visit-generator.ts; on top of it, a user's events all go to the partition that Kafka's murmur2 gives the
 * user id. Measured: 4–6 µs CPU an event (40,000 users), where JSON.parse of one takes 3.5–4.
 *
 * How to use it in a test, e.g. 300,000 events of about 40,000 users with disorder:
 * ```
 * const sessions: ClickstreamFacts[] = [];
 * const generator = new ClickstreamGenerator({
 *   seed: 7, users: 40_000, partitions: 24, startMs: Date.UTC(2026, 0, 30, 22), disorderMsMax: 8_000,
 *   onSession: (facts) => sessions.push(facts),
 * });
 * while (generator.emitted < 300_000) produce(generator.next(1000));
 * generator.finish();                     // no new sessions; the open ones go on to their end
 * for (let last = generator.next(1000); last.length > 0; last = generator.next(1000)) produce(last);
 * generator.expected()                    // sums; `sessions` now holds every session
 * ```
 */
import { REFERRERS } from './catalog.js';
import { EventWriter } from './event-writer.js';
import { EVENT_TYPES, type EventType, Journey } from './journey.js';
import { partitionOf } from './murmur2.js';
import { profileOf } from './profile.js';
import type { Page } from './shop.js';
import { type Expected, freshFacts, type SessionFacts, Tally } from './tally.js';
import { type Made, type Visit, VisitGenerator, type VisitOptions } from './visit-generator.js';

export type { GeneratedEvent } from './event-generator.js';

export type ClickstreamFacts = SessionFacts<EventType>;
export type ClickstreamOptions = VisitOptions<ClickstreamFacts>;

interface ShopVisit extends Visit<ClickstreamFacts> {
  journey: Journey;
  writer: EventWriter;
  /** Where the visitor was before; null at the entry. */
  from: Page | null;
}

export class ClickstreamGenerator extends VisitGenerator<EventType, ClickstreamFacts, ShopVisit> {
  protected readonly tally = new Tally<EventType, ClickstreamFacts>(EVENT_TYPES);

  /** Sums over what was emitted so far. */
  expected(): Expected<EventType> {
    return this.tally.expected();
  }

  protected arrive(user: number): ShopVisit {
    const { random } = this;
    const { seed, partitions } = this.options;
    const profile = profileOf(seed, user);
    const sourceSessionId = this.uuid();
    const writer = new EventWriter(profile, sourceSessionId, REFERRERS.draw(random), random);
    const facts = freshFacts(EVENT_TYPES, {
      userId: profile.userId,
      sourceSessionId,
      partition: partitionOf(profile.userId, partitions),
      country: writer.country,
    });
    return { facts, saysGoodbye: false, journey: new Journey(), writer, from: null };
  }

  protected make(visit: ShopVisit, timeMs: number): Made<EventType> {
    const { random } = this;
    const step = visit.journey.next(random);
    // a few producers lose the page on clicks
    const knowsPage = step.type !== 'click' || random.below(25) > 0;
    const value = visit.writer.write(this.slab, random, timeMs, step, knowsPage, visit.from);
    visit.from = step.page;
    const { userId, partition } = visit.facts;
    return {
      event: { key: userId, value, timeMs, partition },
      type: step.type,
      page: knowsPage ? step.page.path : null,
    };
  }
}
