/**
 * A deterministic stream of `web_clicks` events: readers of newspapers, each visit with a session_id of its own, which is
 * the record's key. What holds for all seeds is said in visit-generator.ts. About half of the visits end with an event
 * session_end, later than all others of the visit though it may be produced before some of them; the rest fall silent.
 */
import { partitionOf } from './murmur2.js';
import { BRANDS } from './news-site.js';
import { profileOf } from './profile.js';
import { Reading, WEB_EVENT_TYPES, type WebEventType } from './reading.js';
import { count, type Expected, freshFacts, type SessionFacts, Tally } from './tally.js';
import { type Made, type Visit, VisitGenerator, type VisitOptions } from './visit-generator.js';
import { WebEventWriter } from './web-event-writer.js';

/** Readers are numbered from here. */
const USER_NUMBER_MIN = 100_000;
const GOODBYE_PERCENT = 45;

export interface WebClicksFacts extends SessionFacts<WebEventType> {
  /** Null: its events name none. */
  brand: string | null;
  /** An event session_end closes it. */
  ended: boolean;
}

export interface WebClicksExpected extends Expected<WebEventType> {
  sessionsByBrand: ReadonlyMap<string | null, number>;
  articleViewsByBrand: ReadonlyMap<string | null, number>;
}

export type WebClicksOptions = VisitOptions<WebClicksFacts>;

interface Reader extends Visit<WebClicksFacts> {
  reading: Reading;
  writer: WebEventWriter;
}

class WebClicksTally extends Tally<WebEventType, WebClicksFacts> {
  readonly #sessionsByBrand = new Map<string | null, number>();
  readonly #articleViewsByBrand = new Map<string | null, number>();

  constructor() {
    super(WEB_EVENT_TYPES);
  }

  override add(session: WebClicksFacts, timeMs: number, type: WebEventType, page: string | null): void {
    if (session.events === 0) count(this.#sessionsByBrand, session.brand);
    if (type === 'article_view') count(this.#articleViewsByBrand, session.brand);
    super.add(session, timeMs, type, page);
  }

  override expected(): WebClicksExpected {
    return {
      ...super.expected(),
      sessionsByBrand: new Map(this.#sessionsByBrand),
      articleViewsByBrand: new Map(this.#articleViewsByBrand),
    };
  }
}

export class WebClicksGenerator extends VisitGenerator<WebEventType, WebClicksFacts, Reader> {
  protected readonly tally = new WebClicksTally();

  /** Sums over what was emitted so far. */
  expected(): WebClicksExpected {
    return this.tally.expected();
  }

  protected arrive(user: number): Reader {
    const { random } = this;
    const { seed, partitions } = this.options;
    const profile = profileOf(seed, user);
    const sessionId = this.uuid();
    const userNumber = USER_NUMBER_MIN + user;
    const brand = BRANDS.draw(random);
    const writer = new WebEventWriter(profile, userNumber, sessionId, brand.name, random);
    const saysGoodbye = random.below(100) < GOODBYE_PERCENT;
    const facts = {
      ...freshFacts(WEB_EVENT_TYPES, {
        userId: String(userNumber),
        sourceSessionId: sessionId,
        partition: partitionOf(sessionId, partitions),
        country: writer.country,
      }),
      brand: writer.brand,
      ended: saysGoodbye,
    };
    return { facts, saysGoodbye, reading: new Reading(brand), writer };
  }

  protected make({ facts, saysGoodbye, reading, writer }: Reader, timeMs: number, isLast: boolean) {
    const { random, slab } = this;
    const made = (value: Buffer, type: WebEventType | null, page: string | null): Made<WebEventType> => {
      return { event: { key: facts.sourceSessionId, value, timeMs, partition: facts.partition }, type, page };
    };
    if (isLast && saysGoodbye) return made(writer.writeEnd(slab, random, timeMs), null, null);
    const step = reading.next(random);
    // some events come from where the page is not known
    const knowsPage = random.below(30) > 0;
    const value = writer.write(slab, random, timeMs, step, knowsPage);
    return made(value, step.type, knowsPage ? step.page.url : null);
  }
}
