/**
 * What the user sees of the set-up: one numbered line a step, always on stderr, so that stdout stays the command's own.
 *
 * On a terminal the line of the running step ticks; elsewhere (CI logs) a long step says every 15 s that it still runs.
 */
const TICK_MS = 500;
const STILL_RUNNING_MS = 15_000;

export class Progress {
  #total;
  #done = 0;
  #out;
  #live;

  /**
   * @param {number} total how many steps will be run
   * @param {NodeJS.WriteStream} [out]
   */
  constructor(total, out = process.stderr) {
    this.#total = total;
    this.#out = out;
    this.#live = out.isTTY === true && process.env.CI === undefined;
  }

  /**
   * Runs one step and reports it.
   * @param {string} title
   * @param {(note: (text: string) => void) => Promise<string> | string} work answers with its outcome in a few words;
   *   `note` says what it is at
   */
  async step(title, work) {
    const started = performance.now();
    const prefix = `[${++this.#done}/${this.#total}] ${title}`;
    const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
    let current = '';
    const show = () => this.#redraw(`${prefix}${current === '' ? '' : `: ${current}`} … ${seconds()}`);
    const timer = this.#live
      ? setInterval(show, TICK_MS)
      : setInterval(
          () => this.#line(`${prefix}: still running${current === '' ? '' : ` (${current})`}, ${seconds()}`),
          STILL_RUNNING_MS,
        );
    const note = (text) => {
      current = text;
      if (this.#live) show();
      else this.#line(`${prefix}: ${text} …`);
    };
    if (this.#live) show();
    try {
      const outcome = await work(note);
      this.#redraw('');
      this.#line(`${prefix}: ${outcome} (${seconds()})`);
    } catch (error) {
      this.#redraw('');
      this.#line(`${prefix}: FAILED (${seconds()})`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  #redraw(text) {
    if (this.#live) this.#out.write(`\r\u001b[2K${text.slice(0, (this.#out.columns || 80) - 1)}`);
  }

  #line(text) {
    this.#out.write(`${text}\n`);
  }
}
