import { loggedFields } from '#src/model/logged-fields.js';
import type { CompiledModel } from '#src/model/types.js';
import type { SessionEvent, SessionState } from '#src/reference/lane-state.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { decodeState } from '#src/reference/state-codec.js';
import { expectSame } from './difference.js';

/** Two engines' snapshots of one lane hold the same, apart from the order of keys and from values that no row can need. */
export function compareStates(model: CompiledModel, left: Uint8Array, right: Uint8Array): void {
  const [a, b] = [left, right].map((content) => {
    const { watermarkMs, keys } = decodeState(model, content);
    return {
      watermarkMs,
      keys: keys
        .toSorted((one, other) => (one.key < other.key ? -1 : 1))
        .map(({ key, endMarkersMs, sessions }) => ({
          key,
          endMarkersMs,
          sessions: sessions.map((session) => plainSession(model, session)),
        })),
    };
  });
  expectSame('watermark of a snapshot', a!.watermarkMs, b!.watermarkMs);
  expectSame(
    'keys of a snapshot',
    a!.keys.map(({ key }) => key),
    b!.keys.map(({ key }) => key),
  );
  for (const [index, key] of a!.keys.entries()) expectSame('key of a snapshot', key, b!.keys[index]);
}

function plainSession(model: CompiledModel, { events, standing, ...session }: SessionState) {
  const { fields, tracked } = loggedFields(model);
  const onlyFirst = fields.slice(tracked);
  return {
    ...session,
    standing: standing.map(({ row, identityStartMs }) => ({
      identityStartMs,
      row: Buffer.from(encodeRow(model, row)).toString('base64'),
    })),
    first: onlyFirst.map(
      (field) => events.find(({ values }) => values[field] !== null)?.values[field] ?? null,
    ),
    events: events.map(({ timeMs, values, starts, ends }: SessionEvent) => [
      timeMs,
      starts ?? false,
      ends ?? false,
      ...fields.slice(0, tracked).map((field) => values[field]),
    ]),
  };
}
