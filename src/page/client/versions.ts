import { ask } from './asking.js';
import type { PanelParts } from './panel.js';
import { element, fill } from './table.js';
import { bytes, orUnknown, signed, time, whole } from './text.js';
import type { PageVersion, VersionAnswer, VersionLane, VersionsAnswer } from './version-answers.js';

/** The table through time: its latest versions, and what it was at one of them beside what it is now. */

/** The version that is looked at. */
let chosen: number | null = null;
let refresh = () => {};

export const versions: PanelParts = {
  id: 'versions',
  everyMs: 5_000,
  begin: (again) => {
    refresh = again;
  },
  show: async () => {
    showVersions(await ask<VersionsAnswer>('/api/versions'));
    if (chosen !== null) showVersion(await ask<VersionAnswer>('/api/version', { version: String(chosen) }));
  },
};

function showVersions({ versions: newest }: VersionsAnswer): void {
  fill<PageVersion>(
    'version-table',
    [
      {
        head: 'version',
        text: ({ version }) => String(version),
        value: ({ version }) => version,
        press: ({ version }) => {
          chosen = version;
          refresh();
        },
        isPressed: ({ version }) => version === chosen,
        isDisabled: ({ isReadable }) => !isReadable,
      },
      { head: 'time (UTC)', text: ({ timeMs }) => orUnknown(timeMs, time), isText: true },
      { head: 'operation', text: ({ operation }) => operation ?? '–', isText: true },
      { head: 'lanes', text: ({ lanes }) => whole(lanes), value: ({ lanes }) => lanes },
      {
        head: 'rows',
        text: (story) => both(story.rowsAdded, story.rowsRemoved, whole),
        value: ({ rowsAdded }) => rowsAdded,
      },
      {
        head: 'files',
        text: (story) => both(story.filesAdded, story.filesRemoved, whole),
        value: ({ filesAdded }) => filesAdded,
      },
      { head: 'bytes', text: (story) => both(story.bytesAdded, story.bytesRemoved, bytes) },
      { head: 'by', text: ({ engine }) => engine ?? '–', isText: true },
    ],
    newest,
  );
}

/** `+3 −1`, ? for what is not known, – for nothing. */
function both(added: number | null, removed: number | null, text: (value: number) => string): string {
  const parts = [];
  if (added !== 0) parts.push(`+${added === null ? '?' : text(added)}`);
  if (removed !== 0) parts.push(`−${removed === null ? '?' : text(removed)}`);
  return parts.length === 0 ? '–' : parts.join(' ');
}

interface Line {
  what: string;
  past: number | null;
  now: number | null;
  text(value: number): string;
}

function showVersion({ past, now, filesNew, filesGone, lanes, lanesLeftOut }: VersionAnswer): void {
  document.getElementById('version-chosen')!.hidden = false;
  const at = past.timeMs === null ? '' : ` of ${time(past.timeMs)}`;
  document.getElementById('version-head')!.textContent =
    `Version ${past.version}${at}, beside version ${now.version}, the newest`;
  const lines: Line[] = [
    { what: 'rows', past: past.rows, now: now.rows, text: whole },
    { what: 'files', past: past.files, now: now.files, text: whole },
    { what: 'bytes', past: past.bytes, now: now.bytes, text: bytes },
  ];
  fill<Line>(
    'version-sizes',
    [
      { head: '', text: ({ what }) => what, isText: true },
      { head: 'past', text: (line) => orUnknown(line.past, line.text), value: (line) => line.past },
      { head: 'now', text: (line) => orUnknown(line.now, line.text), value: (line) => line.now },
      { head: 'difference', text: (line) => difference(line), value: (line) => between(line) },
    ],
    lines,
  );
  document.getElementById('version-files')!.textContent =
    `${whole(filesNew)} files came since, ${whole(filesGone)} are gone.`;
  showLanes(lanes, lanesLeftOut);
}

function between({ past, now }: Pick<Line, 'past' | 'now'>): number | null {
  return past === null || now === null ? null : now - past;
}

function difference(line: Line): string {
  return orUnknown(between(line), (value) => signed(value, line.text));
}

function showLanes(lanes: readonly VersionLane[], leftOut: number): void {
  const offset = (text: string | null) => (text === null ? '–' : BigInt(text).toLocaleString('en'));
  fill<VersionLane>(
    'version-lanes',
    [
      { head: 'lane', text: ({ lane }) => lane, value: ({ appId }) => appId },
      { head: 'done up to, past', text: ({ past }) => offset(past), value: ({ past }) => past },
      { head: 'now', text: ({ now }) => offset(now), value: ({ now }) => now },
      {
        head: 'since',
        text: ({ past, now }) => (now === null ? '–' : offset(String(BigInt(now) - BigInt(past ?? 0)))),
      },
    ],
    lanes,
  );
  if (leftOut > 0) {
    document.getElementById('version-lanes')!.append(element('caption', [`and ${whole(leftOut)} more`]));
  }
}
