import type { CompiledModel, Row } from '#src/model/types.js';
import type { Random } from '#src/random.js';
import { dayOf, newVisit, revised, rowOf, type Visit } from './visit-rows.js';

/** Sessions that come, change, merge and go again, as files of one day each; and what is left of them, plainly counted. */

export interface StoryFile {
  token: string;
  rows: Row[];
}

interface Standing {
  visit: Visit;
  revision: number;
}

export class VisitStory {
  readonly #model: CompiledModel;
  readonly #random: Random;
  #standing: Standing[] = [];
  #serial = 0;

  constructor(model: CompiledModel, random: Random) {
    this.#model = model;
    this.#random = random;
  }

  get visits(): readonly Visit[] {
    return this.#standing.map(({ visit }) => visit);
  }

  /** One cut: new sessions, and changes of those that stand. */
  next(): StoryFile[] {
    const changes: { day: string; row: Row }[] = [];
    const add = (visit: Visit, revision: number, sign: 1 | -1) =>
      changes.push({ day: dayOf(visit), row: rowOf(this.#model, visit, revision, sign) });
    const take = () => this.#standing.splice(this.#random.below(this.#standing.length), 1)[0]!;
    for (let i = 1 + this.#random.below(3); i > 0; i--) {
      const visit = newVisit(this.#random, this.#serial++);
      this.#standing.push({ visit, revision: 0 });
      add(visit, 0, 1);
    }
    for (let i = this.#random.below(3); i > 0 && this.#standing.length > 1; i--) {
      const old = take();
      add(old.visit, old.revision, -1);
      if (this.#random.below(4) === 0) {
        // a merge: the other one goes, too, and both come back as one
        const other = take();
        add(other.visit, other.revision, -1);
      }
      const visit = revised(old.visit, this.#random);
      const revision = old.revision + 1;
      this.#standing.push({ visit, revision });
      add(visit, revision, 1);
    }
    const days = [...new Set(changes.map(({ day }) => day))];
    return days.map((day) => ({
      token: `cut-${this.#serial}/${day}`,
      rows: changes.filter((change) => change.day === day).map(({ row }) => row),
    }));
  }
}

/** By day and key: a line for each group, sorted. `figures` of the sessions of a group. */
export function grouped(
  visits: readonly Visit[],
  keyOf: (visit: Visit) => readonly string[],
  figures: (group: readonly Visit[]) => readonly number[],
): string[] {
  const groups = new Map<string, Visit[]>();
  for (const visit of visits) {
    for (const key of keyOf(visit)) {
      const name = `${dayOf(visit)} ${key}`;
      groups.set(name, [...(groups.get(name) ?? []), visit]);
    }
  }
  return [...groups].map(([name, group]) => `${name}: ${figures(group).join(' ')}`).sort();
}
