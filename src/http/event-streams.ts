import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { type Answer, TEXT } from './listener.js';
import { SECURITY_HEADERS } from './security-headers.js';

/**
 * Server-sent events: the same text to all who listen to a feed, once an interval, and nothing at all is made while nobody does. So
 * many streams of all feeds together, no more; one that takes too little is ended, and its page asks again.
 */
export interface EventStreamsOptions {
  streamsMax: number;
  intervalMs: number;
  clock: Clock;
}

/** What is sent: the data of an event, on one line; null: nothing now. */
export interface Feed {
  /** To who begins to listen. */
  first(): string | null;
  /** To all who listen, once an interval. */
  next(): string | null;
  /** Nobody listens any more. */
  ended?(): void;
}

/** What may wait for a reader that is slow. */
const WAITING_BYTES_MAX = 1 << 20;
const RETRY_MS = 2_000;

export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #streams = new Map<ServerResponse, Feed>();
  #running = false;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#streams.size;
  }

  /** Takes the response over, or says that there are enough. */
  add(response: ServerResponse, feed: Feed): Answer | null {
    if (this.#streams.size >= this.#options.streamsMax) {
      const body = 'enough pages are open: close one, or raise http.streams_max\n';
      return { status: 503, type: TEXT, body, headers: { 'retry-after': '5' } };
    }
    response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#streams.set(response, feed);
    response.once('close', () => this.#remove(response));
    const text = feed.first();
    if (text !== null) response.write(eventOf(text));
    if (!this.#running) void this.#run();
    return null;
  }

  close(): void {
    for (const stream of this.#streams.keys()) stream.destroy();
    this.#streams.clear();
  }

  #remove(response: ServerResponse): void {
    const feed = this.#streams.get(response);
    this.#streams.delete(response);
    if (feed !== undefined && ![...this.#streams.values()].includes(feed)) feed.ended?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#streams.size > 0) {
      await this.#options.clock.sleep(this.#options.intervalMs);
      const texts = new Map<Feed, string | null>();
      for (const [stream, feed] of this.#streams) {
        if (!texts.has(feed)) texts.set(feed, feed.next());
        const text = texts.get(feed) ?? null;
        if (text === null) continue;
        if (stream.writableLength > WAITING_BYTES_MAX) stream.destroy();
        else stream.write(eventOf(text));
      }
    }
    this.#running = false;
  }
}

function eventOf(text: string): string {
  return `data: ${text}\n\n`;
}
