import type { Action, Txn } from './actions.js';
import { encodePath } from './path.js';

/** A version's file: one JSON object a line, commitInfo first, since readers of a table's history look there. */
export function encodeVersion(actions: readonly Action[]): Uint8Array {
  const ordered = [
    ...actions.filter((action) => 'commitInfo' in action),
    ...actions.filter((action) => !('commitInfo' in action)),
  ];
  return new TextEncoder().encode(ordered.map((action) => `${actionJson(action)}\n`).join(''));
}

function actionJson(action: Action): string {
  if ('txn' in action) return txnJson(action.txn);
  if ('add' in action) return JSON.stringify({ add: { ...action.add, path: encodePath(action.add.path) } });
  if ('remove' in action) {
    return JSON.stringify({ remove: { ...action.remove, path: encodePath(action.remove.path) } });
  }
  if ('unknown' in action) return JSON.stringify({ [action.unknown.name]: action.unknown.value });
  return JSON.stringify(action);
}

/** By hand: JSON.stringify refuses a bigint, and a Delta long beyond 2⁵³ must stay exact. */
function txnJson(txn: Txn): string {
  const updated = txn.lastUpdated === undefined ? '' : `,"lastUpdated":${txn.lastUpdated}`;
  return `{"txn":{"appId":${JSON.stringify(txn.appId)},"version":${txn.version}${updated}}}`;
}
