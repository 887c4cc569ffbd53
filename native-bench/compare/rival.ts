import type { Reaper } from '../kafka-cluster/reaper.js';
import type { TopicFacts } from '../pipeline/fill.js';
import type { Mark } from './marks.js';
import type { SessionSums } from './session-sums.js';

/** Whoever reads the topic beside our engine. */
export interface Rival {
  /** As --rivals has it. */
  name: string;
  title: string;
  /** What its figures leave out, or mean otherwise than ours: printed beside them. */
  notes: readonly string[];
  /** Reads the whole topic once, in a process of its own. Throws Error when that does not end well. */
  run(task: RivalTask): Promise<RivalRun>;
}

export interface RivalTask {
  bootstrap: string;
  topic: string;
  facts: TopicFacts;
  /** A new one each time: nobody has committed anything for it. */
  group: string;
  /** Of this run alone. */
  folder: string;
  /** Ends processes when we end in whatever way. */
  reaper: Reaper;
  threads: number;
  /** More flags for a JVM. */
  javaFlags: readonly string[];
  places: RivalPlaces;
  onEvents: (events: number) => void;
}

export interface RivalPlaces {
  /** Folder of Kafka's jars. */
  kafkaJars: string;
  /** By framework: its jars, and our sources compiled against them. */
  frameworks: Readonly<Record<string, { jars: string; classes: string }>>;
  /** Path of the built kafka-javascript-child.js. */
  kafkaJavaScript: string;
}

export interface RivalRun {
  /** From the start of the process to its end. */
  seconds: number;
  cpuSeconds: number;
  peakRssBytes: number;
  marks: Mark[];
  /** Events it read. */
  events: number;
  /** Null: it makes no sessions. */
  sums: SessionSums | null;
}
