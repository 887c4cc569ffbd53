import { loadModel } from '#src/model/load.js';
import { seededRandom } from '#src/random.js';
import type { BatchCase, FuzzCase, RecordCase } from '../fuzz/case.js';
import { makeSteps } from '../fuzz/case-maker.js';
import { Dice } from '../fuzz/dice.js';
import { shippedModelText } from '../fuzz/shipped-models.js';

/**
 * Visits of web_clicks as a site would send them: some twenty events each, many at a time, a little out of order, half of
 * them with a session_end that may come before events of its time and after events behind it; ids are used again. In
 * batches as Java's clients write them, with snappy.
 */

const BASE_MS = Date.UTC(2026, 0, 1);
const GAP_MS = 30 * 60_000;
const TYPES = [
  'article_view',
  'article_view',
  'article_click',
  'video_play',
  'newsletter_signup',
  'subscription_prompt',
  'ad_click',
  'search',
  'navigation',
  'unheard_of',
];
const TITLES = [
  'Wahl: „so geht es weiter“',
  'He said "no"',
  'Tab\there',
  'C:\\temp',
  '株価',
  'Line\nfeed',
  '',
];

interface Event {
  /** The order in which it is sent. */
  sentMs: number;
  timeMs: number;
  document: object;
}

export function webClicksCase(seed: number): FuzzCase {
  const dice = new Dice(seededRandom(seed));
  const logs = Array.from({ length: dice.between(1, 2) }, () => batchesOf(dice, eventsOf(dice)));
  return {
    seed,
    model: shippedModelText('web_clicks'),
    limits: { decompressedBatchBytesMax: 8 << 20, recordBytesMax: 1 << 20, sessionBytesMax: null },
    logs,
    steps: makeSteps(dice, loadModel('web_clicks'), logs),
    isBenign: true,
  };
}

function eventsOf(dice: Dice): Event[] {
  const visits = dice.between(5, 40);
  const events: Event[] = [];
  for (let visit = 0; visit < visits; visit++) {
    const startMs = BASE_MS + dice.below(4 * GAP_MS);
    const sessionId = `s${dice.below(visits)}`;
    events.push(...visitOf(dice, sessionId, startMs));
  }
  return events.sort((a, b) => a.sentMs - b.sentMs);
}

function visitOf(dice: Dice, sessionId: string, startMs: number): Event[] {
  const about = {
    session_id: sessionId,
    user_id: dice.below(2 ** 32),
    brand: dice.pick(['Morgenpost', 'Abendblatt', null]),
    country: dice.pick(['DE', 'AT', null]),
  };
  const events: Event[] = [];
  const add = (timeMs: number, more: object) => {
    // mostly within the disorder that is allowed, and now and then late
    const sentMs = timeMs + (dice.chance(0.05) ? dice.below(GAP_MS * 1.5) : dice.below(9_000));
    const timestamp = new Date(timeMs).toISOString();
    events.push({
      sentMs,
      timeMs,
      document: { event_id: `${dice.below(1e9)}`, timestamp, ...about, ...more },
    });
  };
  let timeMs = startMs;
  for (let left = dice.between(1, 40); left > 0; left--) {
    timeMs += dice.pick([0, 1, 500, 5_000, 5_000, 60_000, 60_000, GAP_MS - 1, GAP_MS]);
    add(timeMs, clickOf(dice));
  }
  // at the time of the last event, behind it, or in the midst of the visit
  const endMs = dice.pick([timeMs, timeMs + 1, timeMs + 30_000, Math.floor((startMs + timeMs) / 2)]);
  if (dice.chance(0.5))
    add(endMs, { event_type: 'session_end', page_url: 'of the end', category: 'of the end' });
  return events;
}

function clickOf(dice: Dice): object {
  const article = dice.below(6);
  const maybe = <T>(value: T): T | null | undefined =>
    dice.chance(0.7) ? value : dice.pick([null, undefined]);
  return {
    event_type: dice.pick(TYPES),
    city: maybe(dice.pick(['Köln', 'Wien'])),
    subscription_tier: maybe(dice.pick(['free', 'plus'])),
    page_url: maybe(`https://a.example/${article}?q="${dice.below(3)}"`),
    category: maybe(dice.pick(['politics', 'sport', 'culture'])),
    article_id: maybe(`a${article}`),
    article_title: maybe(dice.pick(TITLES)),
  };
}

function batchesOf(dice: Dice, events: readonly Event[]): BatchCase[] {
  const batches: BatchCase[] = [];
  for (let at = 0; at < events.length; ) {
    const chosen = events.slice(at, at + dice.between(1, 100));
    const records = chosen.map(({ timeMs, document }, offsetDelta): RecordCase => {
      const value = Buffer.from(JSON.stringify(document));
      return { offsetDelta, timestampMs: timeMs, key: null, value, headers: 0 };
    });
    const lastOffsetDelta = records.length - 1;
    batches.push({
      baseOffset: at,
      lastOffsetDelta,
      codec: 'xerial',
      appendTimeMs: null,
      records,
      damagedByte: null,
    });
    at += chosen.length;
  }
  return batches;
}
