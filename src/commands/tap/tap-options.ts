import type { Clock } from '../../clock.js';
import type { Random } from '../../random.js';
import { formatWhole } from '../../telemetry/progress.js';
import { stdoutTakesMore } from '../stdout-pace.js';
import { Share, type ShareOptions } from './share.js';

/** What every kind of tap was asked. */
export interface TapOptions extends ShareOptions {
  /** As they were typed. */
  filters: readonly string[];
  from: 'earliest' | 'latest';
  json: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

/** What a tap gives: lines on stdout while there is room for them, on stderr where it begins and how much it was. */
export class TapOutput {
  readonly #options: TapOptions;
  readonly #share: Share;
  /** What could not be read: the first is told of, all are counted. */
  #troubles = 0;

  constructor(options: TapOptions, clock: Clock, random: Random) {
    this.#options = options;
    this.#share = new Share(options, clock, random);
  }

  begin(what: string): void {
    const { from } = this.#options;
    this.#options.stderr(
      `${what}, ${from === 'latest' ? 'what comes from now on' : 'from the oldest on'}; Ctrl-C ends it\n`,
    );
  }

  isChosen(): boolean {
    return this.#share.isChosen();
  }

  /** `line` is made only if there is room for it. False: it is enough, or nobody reads any more. */
  async show(line: () => string): Promise<boolean> {
    if (!this.#share.hasRoom()) return !this.#share.isEnough;
    this.#options.stdout(`${line()}\n`);
    return (await stdoutTakesMore()) && !this.#share.isEnough;
  }

  trouble(what: string): void {
    if (this.#troubles++ === 0) this.#options.stderr(`left out: ${what}\n`);
  }

  /** Versions of the table that can't be shown any more; what comes behind them is. */
  gone(first: number, last: number): void {
    const [which, they] =
      first === last ? [`version ${first} is`, 'it was'] : [`versions ${first} to ${last} are`, 'they were'];
    this.#options.stderr(
      `${which} gone: the table's log was cleaned up before ${they} read; on with version ${last + 1}\n`,
    );
  }

  end(): void {
    const { shown, passedOver } = this.#share;
    const over =
      passedOver === 0 ? '' : `; ${formatWhole(passedOver)} more than --rate has room for were passed over`;
    const more = this.#troubles > 1 ? `; ${formatWhole(this.#troubles)} files could not be read` : '';
    this.#options.stderr(`${formatWhole(shown)} shown${over}${more}\n`);
  }
}
