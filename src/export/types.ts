import type { CompiledModel } from '../model/types.js';

/** A model as a job of another engine: what the sessions are there, and what of ours that engine can't say. */
export interface Exported {
  /** The job, whole: a script that the engine runs as it is. Its head names what is not expressed. */
  text: string;
  /** What the job does otherwise than this engine, a sentence each. */
  notExpressed: string[];
}

/** Where the job reads. */
export interface ExportPlace {
  /** `host:port,…` */
  brokers: string;
  topic: string;
  /** Read up to what the topic holds at the start, then end. */
  untilEnd: boolean;
}

export type ExportModel = (model: CompiledModel, place: ExportPlace) => Exported;

/** How names and texts are written in one engine's SQL. */
export interface SqlWords {
  name(text: string): string;
  text(text: string): string;
}
