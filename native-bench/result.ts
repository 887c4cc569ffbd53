import type { Machine } from './machine.js';
import { median, type Samples } from './measure.js';
import type { Contender, Role, Stage } from './stage.js';

/**
 * Figures out of samples: medians over the rounds, and ratios, which are taken within each round before their median is:
 * a slow minute of the machine then slows both sides. Plain data, as it is written to a file.
 */

export interface Figure {
  role: Role;
  name: string;
  nsPerUnit: number;
  /** Null where the cost does not grow with events. */
  nsPerEvent: number | null;
  /** Half the distance between the quartiles, as a share of the median. */
  spread: number;
  /** nsPerEvent in JSON.parses of an event; null where there is no nsPerEvent. */
  jsonParses: number | null;
  /** The stage's cost in costs of this floor or rival; 1 for the stage itself. */
  stageRatio: number;
}

export interface StageResult {
  name: string;
  unit: string;
  units: number;
  figures: Figure[];
}

export interface BenchResult {
  benchmark: string;
  startedAt: string;
  machine: Machine;
  workload: {
    seed: number;
    events: number;
    sessions: number;
    valueBytes: number;
    sha256: string;
    lz4Ratio: number;
  };
  rounds: number;
  jsonParseNs: number;
  stages: StageResult[];
}

export function stageResults(
  stages: readonly Stage[],
  samples: Samples,
  jsonParse: { contender: Contender; events: number },
): StageResult[] {
  const parseNs = samples.get(jsonParse.contender)!.map((ns) => ns / jsonParse.events);
  return stages.map(({ name, unit, units, events, contenders }) => {
    const ofStage = samples.get(contenders.find(({ role }) => role === 'stage')!)!;
    const figures = contenders.map((contender): Figure => {
      const runs = samples.get(contender)!;
      const perEvent = events === null ? null : runs.map((ns) => ns / events);
      return {
        role: contender.role,
        name: contender.name,
        nsPerUnit: median(runs) / units,
        nsPerEvent: perEvent === null ? null : median(perEvent),
        spread: spread(runs),
        jsonParses: perEvent === null ? null : median(perEvent.map((ns, round) => ns / parseNs[round]!)),
        stageRatio: median(runs.map((ns, round) => ofStage[round]! / ns)),
      };
    });
    return { name, unit, units, figures };
  });
}

function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)]!;
  return (at(0.75) - at(0.25)) / 2 / median(sorted);
}
