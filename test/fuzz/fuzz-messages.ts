import type { Failure, Totals } from './fuzz-session.js';

/** Between the command and its processes. */

export interface FuzzTask {
  left: string;
  right: string;
  firstSeed: number;
  /** Its seeds lie this far apart: the others are other processes'. */
  seedStep: number;
  runMs: number;
  shrinkMs: number;
}

export type FuzzReport =
  /** Before each case, so that one which never ends has a name. */
  | { type: 'case'; seed: number }
  | { type: 'totals'; totals: Totals }
  | { type: 'failure'; failure: Failure }
  /** The same, smaller: as a file's text, with what differs now. */
  | { type: 'shrunk'; failure: Failure; json: string };
