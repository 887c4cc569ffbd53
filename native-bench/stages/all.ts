import type { Contender, Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { crcStage, lz4Stage, ringStage, snappyStage } from './bytes.js';
import { decodeStage, extractStage, jsonParsing, walkStage } from './events.js';
import { kernelStage } from './kernel.js';
import { arrowStage, parquetStage, rowCrcStage } from './rows.js';
import { scanStages } from './scan.js';
import { closedRows, sessionStage, workerStage } from './sessions.js';
import { snapshotStages } from './snapshots.js';

export interface StagesOfPath {
  /** In the order of the data. */
  stages: Stage[];
  /** What every figure is compared with; one of the floors. */
  jsonParse: Contender;
}

export function allStages(workload: Workload): StagesOfPath {
  const rows = closedRows(workload);
  const jsonParse = jsonParsing(workload);
  const stages = [
    ringStage(workload),
    crcStage(workload),
    lz4Stage(workload),
    snappyStage(workload),
    walkStage(workload),
    decodeStage(workload, jsonParse),
    extractStage(workload, jsonParse),
    ...scanStages(workload, jsonParse),
    sessionStage(workload),
    kernelStage(workload, rows, jsonParse),
    rowCrcStage(workload, rows),
    arrowStage(workload, rows),
    parquetStage(workload, rows),
    workerStage(workload),
    ...snapshotStages(workload),
  ];
  return { stages, jsonParse };
}
