import { HeadraceError } from '#src/errors.js';
import { type Random, seededRandom } from '#src/random.js';
import { turns } from './fake-store.js';
import { TopicRig } from './topic-rig.js';

const LANES = 4;
/** Of a call, to fail before or after it did its work, or to take a while. */
const TROUBLE = 0.06;

type Engine = ReturnType<TopicRig['engine']>;

export interface TopicSimOptions {
  seed: number;
  steps: number;
  /** Are rows taken out of their files now and then, wherever followers stand? */
  erases?: boolean;
  without?: 'ends' | 'generations' | 'places';
}

/**
 * Engines that follow a ledger into topics in memory over a random schedule: versions large and small, calls that fail or
 * hang, commits whose answer is lost, lanes that move in order or are taken from an engine that does not know it yet,
 * engines that are killed. What a follower may rely on: who reads positions waits for transactions that were flushed before,
 * and an engine that the group has given up can't prepare one.
 */
export class TopicSim {
  readonly #random: Random;
  readonly #steps: number;
  readonly #rig = new TopicRig();
  readonly #owners: (Engine | null)[] = Array.from({ length: LANES }, () => null);
  readonly #told: number[] = Array.from({ length: LANES }, () => 0);
  #engines: Engine[] = [];
  #calm = false;
  #made = 0;

  readonly #erases: boolean;

  constructor({ seed, steps, erases = false, without }: TopicSimOptions) {
    this.#random = seededRandom(seed);
    this.#steps = steps;
    this.#erases = erases;
    if (without === 'places') this.#rig.keepsPlaces = false;
    else if (without !== undefined) this.#rig.topics.holds[without] = false;
  }

  /** What is wrong with the topics in the end. */
  async run(): Promise<string[]> {
    this.#engines = [this.#engine(), this.#engine()];
    for (let lane = 0; lane < LANES; lane++) this.#give(lane);
    for (let step = 0; step < this.#steps; step++) {
      await this.#step();
      await turns(this.#random.below(12));
    }
    this.#calm = true;
    for (let lane = 0; lane < LANES; lane++) if (this.#owners[lane] === null) this.#give(lane);
    for (const engine of this.#engines)
      if (!(await engine.caughtUp())) return ['an engine does not catch up'];
    for (const { follower } of this.#engines) follower.abandon();
    return this.#wrong();
  }

  async #step(): Promise<void> {
    const lane = this.#random.below(LANES);
    if (this.#erases && this.#random.below(3) === 0) this.#erase(lane);
    const kind = this.#random.float();
    if (kind < 0.6) this.#tell();
    else if (kind < 0.75) await this.#move(lane);
    else if (kind < 0.85) await this.#steal();
    else if (kind < 0.92) this.#kill();
    else if (this.#owners[lane] === null) this.#give(lane);
  }

  #tell(): void {
    const [rows, letters]: Record<number, string[]>[] = [{}, {}];
    for (let lane = 0; lane < LANES; lane++) {
      if (this.#random.below(3) === 0) continue;
      const next = () => `${lane} ${this.#told[lane]!++}`;
      rows![lane] = Array.from({ length: this.#random.below(this.#random.below(4) === 0 ? 14 : 4) }, next);
      if (this.#random.below(5) === 0) letters![lane] = Array.from({ length: this.#random.below(4) }, next);
    }
    const version = this.#rig.tell({ rows: rows!, letters: letters! });
    for (const { follower } of this.#engines) follower.committed(version, []);
  }

  /** One of its last rows: followers are in the middle of them. */
  #erase(lane: number): void {
    const number = this.#told[lane]! - 1 - this.#random.below(8);
    if (number >= 0) this.#rig.gone.add(`${lane} ${number}`);
  }

  async #move(lane: number): Promise<void> {
    const owner = this.#owners[lane];
    if (owner === null || owner === undefined) return;
    await owner.follower.released([lane], this.#random.below(5) * 1_000);
    this.#owners[lane] = null;
    if (this.#random.below(3) > 0) this.#give(lane);
  }

  /** The group gives up an engine, which learns of it later. */
  async #steal(): Promise<void> {
    const [victim, thief] = this.#random.below(2) === 0 ? this.#engines : this.#engines.toReversed();
    const lanes = this.#owners.flatMap((owner, lane) => (owner === victim ? [lane] : []));
    this.#rig.topics.expelled.add(victim!.sink);
    thief!.follower.acquired(lanes);
    for (const lane of lanes) this.#owners[lane] = thief!;
    await turns(this.#random.below(30));
    victim!.follower.lost(lanes);
    this.#rig.topics.expelled.delete(victim!.sink);
  }

  #kill(): void {
    const index = this.#random.below(2);
    const dead = this.#engines[index]!;
    dead.sink.before = () => new Promise(() => {});
    dead.follower.abandon();
    this.#engines[index] = this.#engine();
    for (const [lane, owner] of this.#owners.entries()) if (owner === dead) this.#owners[lane] = null;
  }

  #give(lane: number): void {
    const owner = this.#engines[this.#random.below(2)]!;
    this.#owners[lane] = owner;
    owner.follower.acquired([lane]);
  }

  #engine(): Engine {
    const engine = this.#rig.engine(`engine-${this.#made++}`);
    engine.sink.before = async (step) => {
      if (this.#calm || this.#random.float() > TROUBLE) return;
      await turns(this.#random.below(30));
      if (step === 'commit-done' || this.#random.below(2) === 0) {
        throw new HeadraceError('KAFKA_UNREACHABLE', `${step} came to nothing`);
      }
    };
    return engine;
  }

  #wrong(): string[] {
    const { rows, letters } = this.#rig.topics;
    const wrong: string[] = [];
    for (const [lane, told] of this.#told.entries()) {
      const [sentRows, sentLetters] = [rows, letters].map((sent) =>
        sent
          .map((text) => text.split(' ').map(Number))
          .flatMap(([of, number]) => (of === lane ? [number!] : [])),
      );
      const sent = [...sentRows!, ...sentLetters!];
      if (new Set(sent).size !== sent.length) wrong.push(`lane ${lane}: something twice`);
      const wanted = Array.from({ length: told }, (_, number) => number).filter(
        (number) => !this.#rig.gone.has(`${lane} ${number}`),
      );
      if (wanted.some((number) => !sent.includes(number))) wrong.push(`lane ${lane}: something left out`);
      if ([sentRows!, sentLetters!].some((numbers) => !isSorted(numbers)))
        wrong.push(`lane ${lane}: out of order`);
    }
    return wrong;
  }
}

function isSorted(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => at === 0 || number > numbers[at - 1]!);
}
