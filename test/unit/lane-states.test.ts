import { describe, expect, it } from 'vitest';
import { type LaneEvent, type LaneState, stateAfter, takesPart } from '#src/ledger/lane-states.js';

const STATES: LaneState[] = ['starting', 'recovering', 'live', 'leaving', 'gone'];
const EVENTS: LaneEvent[] = ['built', 'met-ledger', 'revoked', 'reset'];

describe('a lane', () => {
  it('takes part in cuts when it has met the ledger, and until it has gone', () => {
    expect(STATES.filter(takesPart)).toEqual(['live', 'leaving']);
  });

  it('comes to take part only through a replay', () => {
    const into = STATES.flatMap((state) =>
      EVENTS.filter((event) => stateAfter(state, event) === 'live').map((event) => `${state} ${event}`),
    );
    expect(into).toEqual(['recovering met-ledger']);
  });

  it('that was live seals what it has when it is taken away, one that was not has nothing to seal', () => {
    expect(STATES.map((state) => stateAfter(state, 'revoked'))).toEqual([
      'gone',
      'gone',
      'leaving',
      null,
      null,
    ]);
  });

  it('starts over when it is reset, unless it goes or has only begun', () => {
    expect(STATES.map((state) => stateAfter(state, 'reset'))).toEqual([
      null,
      'starting',
      'starting',
      'gone',
      null,
    ]);
  });

  it('that is gone stays so, whatever its worker still says of it', () => {
    expect(EVENTS.map((event) => stateAfter('gone', event))).toEqual([null, null, null, null]);
  });
});
