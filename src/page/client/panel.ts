import { messageOf } from './asking.js';

/** A part of the page that asks for what it shows, while it can be seen: nobody who looks elsewhere costs the engine anything. */
export interface PanelParts {
  /** The id of its section; `<id>-note` is where it says what is wrong. */
  id: string;
  everyMs: number;
  /** Asks and shows. What it rejects with is said. */
  show(): Promise<void>;
  /** Called once: `refresh` is for its controls. */
  begin?: (refresh: () => void) => void;
}

const LOOK_MS = 500;

export class Panel {
  readonly #parts: PanelParts;
  readonly #isPaused: () => boolean;
  #isSeen = false;
  #isAsking = false;
  #isWanted = true;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PanelParts, isPaused: () => boolean) {
    this.#parts = parts;
    this.#isPaused = isPaused;
    parts.begin?.(() => {
      this.#isWanted = true;
      void this.#look();
    });
    const observer = new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)!.isIntersecting;
      void this.#look();
    });
    observer.observe(document.getElementById(parts.id)!);
    setInterval(() => void this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    if (this.#isAsking || !this.#isDue()) return;
    this.#isAsking = true;
    this.#isWanted = false;
    try {
      await this.#parts.show();
      this.#say('');
    } catch (error) {
      this.#say(messageOf(error));
    } finally {
      this.#isAsking = false;
      this.#askedMs = performance.now();
    }
  }

  /** What is said again is not read out again. */
  #say(text: string): void {
    const note = document.getElementById(`${this.#parts.id}-note`)!;
    if (note.textContent !== text) note.textContent = text;
  }

  #isDue(): boolean {
    if (!this.#isSeen || document.visibilityState !== 'visible') return false;
    if (this.#isWanted) return true;
    return !this.#isPaused() && performance.now() - this.#askedMs >= this.#parts.everyMs;
  }
}
