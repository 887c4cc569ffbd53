/**
 * Preloaded into an engine, breaks rule 19: a file's insert has another token each time, as if it had none. An insert whose
 * answer was lost doubles its rows.
 */
import { FileInsert } from '#src/clickhouse/insert.js';

const { insert } = FileInsert.prototype;
let inserts = 0;

FileInsert.prototype.insert = function (file, bytes, signal) {
  inserts++;
  return insert.call(this, { ...file, path: `${file.path}?${inserts}` }, bytes, signal);
};
