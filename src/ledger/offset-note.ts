/**
 * What engines write beside Kafka's committed offsets: whose they are. Nothing reads the offsets back, but by their note it shows
 * that another table's engines use the group too, or that somebody moved the offsets by hand, which moves nothing here.
 *
 *   headrace table=<id of the Delta table> version=<version of it>
 */
export function offsetNote(tableId: string, version: number): string {
  return `headrace table=${tableId} version=${version}`;
}

/** Early 0.1 wrote no table. */
export function isOurNote(note: string): boolean {
  return note.startsWith('headrace ');
}

/** Null: no engine of this version wrote it. */
export function tableOfNote(note: string): string | null {
  return /^headrace table=([^ ]+) version=\d+$/.exec(note)?.[1] ?? null;
}
