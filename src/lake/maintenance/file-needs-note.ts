import { z } from 'zod';
import type { Action } from '../delta/actions.js';

/**
 * In which version each file came that a checkpoint names, as it is sealed with it: so followers' places tell of files from before the
 * checkpoint, too, who may still come for them. The files are those of the checkpoint in its order, and most have the version of the
 * one before them.
 */

/** A need as far as a checkpoint keeps it. */
export interface NotedNeed {
  /** Null: no follower wants it. */
  version: number | null;
  /** It came in this version or an earlier one. */
  atMost?: true;
}

/** Version and number of files in a row; −1: no follower wants them. */
const version = z.number().int();
const count = z.number().int().positive();
const EXACT = 0;
const AT_MOST = 1;
const RUN = z.union([z.tuple([version, count]), z.tuple([version, count, z.literal(AT_MOST)])]);
const NOTE = z.object({ fileVersions: z.array(RUN) });

export interface FileNeedsNote {
  fileVersions: ([version: number, files: number] | [version: number, files: number, atMost: 1])[];
}

export function encodeNeeds(needs: readonly NotedNeed[]): FileNeedsNote {
  const fileVersions: FileNeedsNote['fileVersions'] = [];
  for (const { version, atMost } of needs) {
    const [number, how] = [version ?? -1, atMost === true ? AT_MOST : EXACT];
    const last = fileVersions.at(-1);
    if (last !== undefined && last[0] === number && (last[2] ?? EXACT) === how) last[1]++;
    else fileVersions.push(how === AT_MOST ? [number, 1, AT_MOST] : [number, 1]);
  }
  return { fileVersions };
}

/** Null: the note does not say it, or not of so many files. */
export function decodeNeeds(note: unknown, files: number): NotedNeed[] | null {
  const checked = NOTE.safeParse(note);
  if (!checked.success) return null;
  const needs: NotedNeed[] = [];
  for (const [number, inRow, how = EXACT] of checked.data.fileVersions) {
    if (needs.length + inRow > files) return null;
    const came = number < 0 ? null : number;
    for (let i = 0; i < inRow; i++)
      needs.push(how === AT_MOST ? { version: came, atMost: true } : { version: came });
  }
  return needs.length === files ? needs : null;
}

/** Paths of the files that a checkpoint names, in its order. */
export function filesIn(actions: readonly Action[]): string[] {
  return actions.flatMap((action) =>
    'add' in action ? [action.add.path] : 'remove' in action ? [action.remove.path] : [],
  );
}
