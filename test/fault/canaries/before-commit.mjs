/**
 * Preloaded into an engine, breaks what a follower is: ClickHouse gets each file when it is written, before any commit names
 * it. One whose commit never came stays there. HEADRACE_CANARY_TARGET is the ClickHouse, as JSON.
 */
import { FileInsert } from '#src/clickhouse/insert.js';
import { targetOf } from '#src/clickhouse/target.js';
import { LocalStore } from '#src/lake/store/local.js';
import { loadModel } from '#src/model/load.js';

const model = loadModel('clickstream');
const insert = new FileInsert(targetOf(JSON.parse(process.env.HEADRACE_CANARY_TARGET), model), model);
const { put } = LocalStore.prototype;

LocalStore.prototype.put = async function (path, bytes) {
  await put.call(this, path, bytes);
  if (path.endsWith('.parquet'))
    await insert.insert({ path, attempt: 0 }, bytes, new AbortController().signal);
};
