import { expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import { sessionDate } from '#src/columnar/session-date.js';
import { loadModel } from '#src/model/load.js';
import type { Row } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { readColumns } from '../support/columnar-read.js';
import { SEAL } from '../support/columnar-rows.js';
import type { OracleRow, RawRecord } from '../support/oracle.js';
import { sessionsNaively } from '../support/oracle-naive.js';
import { webClickSessionsNaively } from '../support/oracle-web-clicks-naive.js';
import { nameRow } from '../support/reference-lane.js';
import { makeSpineEvents } from '../support/spine-events.js';
import { CLICKSTREAM, type SpineModel, WEB_CLICKS } from '../support/spine-model.js';
import { differences, standingRows } from '../support/spine-table.js';

/** The reference on the spine's awkward events, in one lane and without Kafka: the rows that stand are the oracle's. */

interface Run {
  rows: Row[];
  records: RawRecord[];
  deadLetters: number;
}

/** `endedInTheMiddle`: open sessions are let out after the first half, and come again changed. */
function play(spine: SpineModel<OracleRow>, events: number, endedInTheMiddle: boolean): Run {
  const made = makeSpineEvents({ seed: 11, users: 600, events, spanMs: 4 * 3_600_000 }, spine.form);
  const run: Run = { rows: [], records: [], deadLetters: 0 };
  const lane = new ReferenceLane(loadModel(spine.name), {
    row: (row) => run.rows.push(row),
    deadLetter: () => {
      run.deadLetters += 1;
    },
  });
  for (const [offset, event] of made.events.entries()) {
    if (endedInTheMiddle && offset === made.half) lane.applyMarks({ endOfInput: true });
    const value = Buffer.from(event.value);
    run.records.push({ partition: 0, offset, key: Buffer.from(event.key), value });
    lane.accept({
      offset: BigInt(offset),
      timestampMs: event.arrivalMs,
      key: null,
      value,
      tooLarge: false,
    });
  }
  lane.applyMarks({ endOfInput: true });
  return run;
}

function standing({ rows }: Run, name: string) {
  const model = loadModel(name);
  const named = rows.map((row) => ({
    ...nameRow(model, row),
    session_date: sessionDate(row[model.columnIndex.session_start] as number),
  }));
  return standingRows(named);
}

it.each([false, true])(
  'gives the oracle’s sessions of web_clicks, ended in the middle: %s',
  (endedInTheMiddle) => {
    const run = play(WEB_CLICKS, 6_000, endedInTheMiddle);
    expect(run.deadLetters).toBe(0);
    expect(differences(standing(run, 'web_clicks'), webClickSessionsNaively(run.records))).toEqual([]);
    expect(run.rows.some((row) => row.at(-1) === -1)).toBe(endedInTheMiddle);
  },
);

it('gives the oracle’s sessions of clickstream', () => {
  const run = play(CLICKSTREAM, 3_000, false);
  expect(run.deadLetters).toBe(0);
  expect(differences(standing(run, 'clickstream'), sessionsNaively(run.records))).toEqual([]);
});

it('gives rows that come back from a data file value by value', () => {
  const model = loadModel('web_clicks');
  const { rows } = play(WEB_CLICKS, 3_000, false);
  const columns = readColumns(encodeRows(model, rows, SEAL).bytes);
  expect(Object.keys(columns)).toEqual(model.columns.map(({ name }) => name));
  for (const { name, index, type } of model.columns) {
    if (['created_at', 'batch_id', 'file_id'].includes(name)) continue;
    const wide = type === 'uint32' || type === 'time';
    const inFile = (value: Row[number]) =>
      wide ? BigInt(value as number) * (type === 'time' ? 1000n : 1n) : value;
    expect(columns[name], name).toEqual(rows.map((row) => inFile(row[index]!)));
  }
});
