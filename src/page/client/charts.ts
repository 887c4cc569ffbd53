import type UPlot from 'uplot';

/** A plot over the last minutes, in the colours of the page, as wide as its place. */

declare const uPlot: typeof UPlot;

/** One sample a second. */
const SAMPLES_MAX = 300;
const HEIGHT = 165;

export interface Series {
  label: string;
  /** A variable of the page's style. */
  colour: '--one' | '--two';
}

export class Chart {
  readonly #place: HTMLElement;
  readonly #series: readonly Series[];
  readonly #data: (number | null)[][];
  #plot: UPlot | null = null;

  constructor(place: HTMLElement, series: readonly Series[]) {
    this.#place = place;
    this.#series = series;
    this.#data = [[], ...series.map(() => [])];
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(place);
    this.restyle();
  }

  /** `atMs`: of the sample; a null is a gap. */
  add(atMs: number, values: readonly (number | null)[]): void {
    for (const [index, value] of [atMs / 1_000, ...values].entries()) {
      const column = this.#data[index]!;
      column.push(value);
      if (column.length > SAMPLES_MAX) column.shift();
    }
    this.#plot?.setData(this.#data as UPlot.AlignedData);
  }

  /** Anew, in the colours that hold now. */
  restyle(): void {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line') },
      ticks: { stroke: colour('--line') },
    };
    this.#plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: this.#series.length > 1, live: false },
        cursor: { y: false },
        scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [
          { ...axis, space: 80, values: (_plot, splits) => splits.map(clockTime) },
          { ...axis, size: 56, values: (_plot, splits) => splits.map(short) },
        ],
        series: [
          {},
          ...this.#series.map(({ label, colour: name }) => ({ label, stroke: colour(name), width: 2 })),
        ],
      },
      this.#data as UPlot.AlignedData,
      this.#place,
    );
  }

  #size(): { width: number; height: number } {
    const legend = this.#series.length > 1 ? 30 : 0;
    return { width: Math.max(120, this.#place.clientWidth), height: HEIGHT - legend };
  }
}

/** hh:mm:ss, UTC as everywhere on the page. */
function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(11, 19);
}

function short(value: number): string {
  return Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 }).format(value);
}
