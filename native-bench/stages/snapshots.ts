import assert from 'node:assert/strict';
import { deserialize, serialize } from 'node:v8';
import type { LaneState } from '#src/reference/lane-state.js';
import { decodeSnapshot, encodeSnapshot } from '#src/reference/snapshot.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { contender, type Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { laneInto } from './sessions.js';

/** A lane's state as a file and back, with the sessions that are open when most of the events have passed. */

const TAKEN = 0.7;

export function snapshotStages(workload: Workload): Stage[] {
  const { model, records } = workload;
  const lane = laneInto(model, () => {});
  const taken = Math.floor(records.length * TAKEN);
  for (const record of records.slice(0, taken)) lane.accept(record);
  const state = lane.snapshot();
  const content = encodeState(model, state);
  const meta = { modelHash: model.hash, appId: 'bench', partition: 0, offset: BigInt(taken), cutId: '1' };
  const file = encodeSnapshot(content, meta);
  const serialized = serialize(state);
  const load = (bytes: Uint8Array) => decodeState(model, decodeSnapshot(bytes, meta));
  const prove = (loaded: LaneState) => assert.deepEqual(encodeState(model, loaded), content);
  const common = { unit: 'session', units: lane.openSessions, events: null };
  return [
    {
      ...common,
      name: 'snapshot',
      contenders: [
        contender(
          'stage',
          'snapshot + encodeState + encodeSnapshot',
          () => encodeSnapshot(encodeState(model, lane.snapshot()), meta),
          (bytes) => prove(load(bytes)),
        ),
        contender(
          'rival',
          'snapshot + v8.serialize',
          () => serialize(lane.snapshot()),
          (bytes) => prove(deserialize(bytes)),
        ),
      ],
    },
    {
      ...common,
      name: 'snapshot load',
      contenders: [
        contender('stage', 'decodeSnapshot + decodeState', () => load(file), prove),
        contender('rival', 'v8.deserialize', () => deserialize(serialized) as LaneState, prove),
      ],
    },
  ];
}
