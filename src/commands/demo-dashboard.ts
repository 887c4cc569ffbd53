import { formatCount, formatElapsed } from '../telemetry/progress.js';

/** How the demo stands, as a table to be redrawn on a terminal and as plain lines. Text only: no clock, no stream. */

export interface Sample {
  model: string;
  /** Produced to the topic, and of these committed in the Delta log. */
  produced: number;
  committed: number;
  /** As the engine's log said last; null before its first word. */
  openSessions: number | null;
  commits: number;
  lakeRows: number;
  /** Null while ClickHouse has not answered. */
  clickhouseRows: number | null;
  deadLetters: number;
  /** Where event time stands, ms since 1970. */
  eventTimeMs: number;
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SPARKS = 16;
const BAR_CELLS = 10;
const UNKNOWN = '–';
/** Two models beside each other fit into 80 columns; widths that follow the figures would make the table jump. */
const LABEL_WIDTH = 27;
const COLUMN_WIDTH = 25;
const COUNT_WIDTH = 7;

export class Dashboard {
  readonly #seconds: number;
  readonly #rates = new Map<string, number[]>();
  #samples: readonly Sample[] = [];
  #elapsedMs = 0;

  /** `seconds`: how long events are generated. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** How things stand now; rates are taken between two calls. */
  add(elapsedMs: number, samples: readonly Sample[]): void {
    const sinceMs = elapsedMs - this.#elapsedMs;
    for (const sample of samples) {
      const before = this.#samples.find(({ model }) => model === sample.model);
      const rates = this.#rates.get(sample.model) ?? [];
      if (sinceMs > 0) rates.push(((sample.committed - (before?.committed ?? 0)) * 1000) / sinceMs);
      this.#rates.set(sample.model, rates.slice(-SPARKS));
    }
    this.#samples = samples;
    this.#elapsedMs = elapsedMs;
  }

  /** A column a model. */
  table(): string[] {
    const line = (what: string, of: (sample: Sample) => string) => {
      const cells = this.#samples.map((sample) => of(sample).padEnd(COLUMN_WIDTH));
      return [what.padEnd(LABEL_WIDTH), ...cells].join('').trimEnd();
    };
    const count = (value: number | null) => countOrUnknown(value).padEnd(COUNT_WIDTH);
    return [
      line(`${formatElapsed(this.#elapsedMs)} of ${this.#seconds} s`, ({ model }) => model),
      '─'.repeat(LABEL_WIDTH + COLUMN_WIDTH * this.#samples.length - 2),
      line('events/s, committed', (sample) => {
        return this.#rate(sample).padEnd(COUNT_WIDTH) + sparkline(this.#history(sample));
      }),
      line('events produced', ({ produced }) => formatCount(produced)),
      line('lag: not yet committed', ({ produced, committed }) => formatCount(produced - committed)),
      line('open sessions (engine log)', ({ openSessions }) => countOrUnknown(openSessions)),
      line('rows in the lake', ({ lakeRows, commits }) => `${count(lakeRows)}in ${commits} commits`),
      line('rows in ClickHouse', ({ clickhouseRows, lakeRows }) => {
        return count(clickhouseRows) + bar(clickhouseRows ?? 0, lakeRows);
      }),
      line('dead letters', ({ deadLetters }) => formatCount(deadLetters)),
      line('event time', ({ eventTimeMs }) => timeText(eventTimeMs)),
    ];
  }

  /** A line a model. */
  lines(): string[] {
    return this.#samples.map((sample) => {
      const { model, produced, committed, openSessions, lakeRows, clickhouseRows, deadLetters } = sample;
      const parts = [
        `${formatElapsed(this.#elapsedMs)} ${model}: ${this.#rate(sample)} events/s`,
        `${formatCount(produced)} events`,
        `lag ${formatCount(produced - committed)}`,
        `${countOrUnknown(openSessions)} open sessions`,
        `lake ${formatCount(lakeRows)} rows in ${sample.commits} commits`,
        `ClickHouse ${countOrUnknown(clickhouseRows)} rows`,
        `${formatCount(deadLetters)} dead letters`,
      ];
      return parts.join(' · ');
    });
  }

  #history({ model }: Sample): readonly number[] {
    return this.#rates.get(model) ?? [];
  }

  #rate(sample: Sample): string {
    const rate = this.#history(sample).at(-1);
    return rate === undefined ? UNKNOWN : formatCount(rate);
  }
}

/** Heights between 0 and the greatest. */
export function sparkline(values: readonly number[]): string {
  const max = Math.max(...values, 0);
  return values
    .map((value) => BARS[max > 0 ? Math.min(BARS.length - 1, Math.floor((value / max) * BARS.length)) : 0]!)
    .join('');
}

/** How much of the whole is there. */
export function bar(part: number, whole: number): string {
  const full = whole > 0 ? Math.min(BAR_CELLS, Math.floor((part / whole) * BAR_CELLS)) : 0;
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

function countOrUnknown(count: number | null): string {
  return count === null ? UNKNOWN : formatCount(count);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(5, 16).replace('T', ' ');
}
