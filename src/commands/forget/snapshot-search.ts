import { HeadraceError } from '../../errors.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { appIdOf, type LaneSource } from '../../ledger/history.js';
import type { CompiledModel } from '../../model/types.js';
import type { LaneState, SessionState } from '../../reference/lane-state.js';
import { decodeSnapshot } from '../../reference/snapshot.js';
import { decodeState } from '../../reference/state-codec.js';
import { latestHeldMs } from '../../reference/windows.js';
import { hasKeyPart } from './key-part.js';
import type { Person } from './person.js';
import type { Progress } from './progress.js';

/** Which snapshots of lanes hold something of the person. */

const SNAPSHOTS = '_headrace/snapshots/';
const NAME = /^_headrace\/snapshots\/([^/]+)\/(\d+)\/(\d+)-(\d+)\.snap$/;

export interface SnapshotFile {
  path: string;
  topicId: string;
  partition: number;
  offset: bigint;
}

export interface HeldSessions {
  /** Sessions that go on, and closed ones that are still correctable. */
  open: number;
  closed: number;
  /** Until when, in event time, they are held open, or sessions before them for whose sake they are known. */
  heldMs: number;
}

export interface SnapshotSearch {
  /** By path; those that hold nothing of the person are not in it. */
  held: Map<string, SnapshotFile & HeldSessions>;
  all: SnapshotFile[];
  /** Damaged, or of another model or format: whether they hold something can't be seen. */
  unread: string[];
}

export interface SearchOptions {
  store: Pick<ObjectStore, 'list' | 'get'>;
  owner: LaneSource;
  model: CompiledModel;
  person: Person;
  progress: Progress;
}

/** Throws HeadraceError LAKE_IO. */
export async function searchSnapshots(options: SearchOptions): Promise<SnapshotSearch> {
  const { store, owner, model, person, progress } = options;
  const found: SnapshotSearch = { held: new Map(), all: [], unread: [] };
  const listed = await store.list(SNAPSHOTS);
  for (const [index, { path }] of listed.entries()) {
    progress.tell(() => `snapshots: ${index} of ${listed.length} looked through`);
    const match = NAME.exec(path);
    if (match === null) continue;
    const [, topicId = '', number = '', digits = '', cutId = ''] = match;
    const file = { path, topicId, partition: Number(number), offset: BigInt(digits) };
    const bytes = await store.get(path);
    // a newer one has taken its place
    if (bytes === null) continue;
    found.all.push(file);
    const appId = appIdOf(owner, topicId, file.partition);
    const meta = { modelHash: model.hash, appId, partition: file.partition, offset: file.offset, cutId };
    try {
      const held = heldIn(model, decodeSnapshot(bytes, meta), person);
      if (held !== null) found.held.set(path, { ...file, ...held });
    } catch (error) {
      if (error instanceof HeadraceError && error.code !== 'SNAPSHOT_UNUSABLE') throw error;
      found.unread.push(path);
    }
  }
  return found;
}

/** A text of the person stands in the content as it is, so most lanes need not be decoded. */
function heldIn(model: CompiledModel, content: Uint8Array, person: Person): HeldSessions | null {
  const { value, keyPart } = person;
  const text = keyPart === null ? String(value) : keyPart.written;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if ((typeof value === 'string' || person.isKey) && !bytes.includes(Buffer.from(text))) return null;
  return heldSessions(decodeState(model, content), person);
}

/** Null: nothing of the person. */
export function heldSessions({ keys }: Pick<LaneState, 'keys'>, person: Person): HeldSessions | null {
  const own: SessionState[] = [];
  let hasKey = false;
  let heldMs = Number.NEGATIVE_INFINITY;
  for (const { key, sessions, endMarkersMs } of keys) {
    const isOwn = isKeyOf(key, person);
    if (isOwn) {
      hasKey = true;
      heldMs = Math.max(heldMs, ...endMarkersMs);
    }
    const found = isOwn ? sessions : sessions.filter((session) => isOf(session, person));
    own.push(...found);
    if (found.length === 0) continue;
    for (const { events } of sessions) heldMs = latestHeldMs(events, heldMs);
  }
  if (own.length === 0 && !hasKey) return null;
  const open = own.filter(({ closed }) => !closed).length;
  return {
    open,
    closed: own.length - open,
    heldMs,
  };
}

/** Is all of a key the person's? */
function isKeyOf(key: string, { isKey, value, keyPart }: Person): boolean {
  return keyPart === null ? isKey && key === String(value) : hasKeyPart(key, keyPart);
}

function isOf({ events, standing }: SessionState, person: Person): boolean {
  const { isKey, keyPart, field, columns, value } = person;
  if (isKey || keyPart !== null) return false;
  return (
    events.some(({ values }) => values[field.index] === value) ||
    standing.some(({ row }) => columns.some(({ index }) => row[index] === value))
  );
}
