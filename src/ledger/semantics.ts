import { createHash } from 'node:crypto';
import type { Isolation } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import { NEW_TABLE } from '../lake/delta/table.js';
import type { ObjectStore } from '../lake/store/store.js';
import { type ModelDecisions, modelDecisions } from '../model/hash.js';
import type { CompiledModel } from '../model/types.js';
import { semanticDifferences } from './semantic-differences.js';

/** Raised when the same log would give other rows than before, although the model did not change. */
const ENGINE_SEMANTICS = 2;

/**
 * All that decides a row and is neither in the log nor a mark (rule 1): the model, the limits that make dead letters, the isolation
 * level, the engine's own semantics. Lanes are never continued under another one (rule 16). What is not in it may change at any time:
 * idle_timeout and emit (what they do is marks), low_cardinality, comments, names of files.
 */
export interface Semantics {
  /** In every version of the ledger. */
  hash: string;
  /** Beside the table under the hash's name, so that it can be said what changed. */
  rules: SemanticRules;
}

export interface SemanticRules {
  engine: number;
  isolation: Isolation;
  recordBytesMax: number;
  model: ModelDecisions;
}

export function semanticsOf(
  model: CompiledModel,
  { kafka, limits }: { kafka: { isolation: Isolation }; limits: { recordBytesMax: number } },
): Semantics {
  const engine = ENGINE_SEMANTICS;
  const { isolation } = kafka;
  const { recordBytesMax } = limits;
  const facts = { engine, model: model.hash, isolation, recordBytesMax };
  return {
    hash: createHash('sha256').update(JSON.stringify(facts)).digest('hex'),
    rules: { engine, isolation, recordBytesMax, model: modelDecisions(model) },
  };
}

/** Throws HeadraceError LAKE_NOT_OURS, with what differs, when the table's last version was made by other rules. */
export async function checkSemantics(
  store: Pick<ObjectStore, 'get'>,
  last: string | null,
  ours: Semantics,
): Promise<void> {
  if (last === null || last === ours.hash) return;
  const rules = await readRules(store, last);
  const differences = rules === null ? [] : semanticDifferences(rules, ours.rules).map(({ text }) => text);
  throw otherSemantics(last, ours.hash, differences);
}

/** The rules behind a hash; null: the table does not remember them. */
export async function readRules(
  store: Pick<ObjectStore, 'get'>,
  hash: string,
): Promise<SemanticRules | null> {
  const bytes = await store.get(pathOf(hash));
  if (bytes === null) return null;
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as SemanticRules;
  } catch {
    // a file that nobody can read says nothing; the hashes differ all the same
    return null;
  }
}

/** Remembers the rules beside the table. */
export async function keepSemantics(store: Pick<ObjectStore, 'putIfAbsent'>, ours: Semantics): Promise<void> {
  await store.putIfAbsent(pathOf(ours.hash), Buffer.from(JSON.stringify(ours.rules)));
}

/** `differences`: none known. */
export function otherSemantics(
  last: string,
  ours: string,
  differences: readonly string[] = [],
): HeadraceError {
  const what = differences.length > 0 ? differences.join('; ') : 'another model, isolation, limits or engine';
  return new HeadraceError('LAKE_NOT_OURS', `the table's rows were made by other rules: ${what}`, {
    where: { table_semantics: last.slice(0, 12), ours: ours.slice(0, 12) },
    remedy: `open sessions and snapshots go on only under the same ones (columns that can be null may be added): run as before, or ${NEW_TABLE}`,
  });
}

function pathOf(hash: string): string {
  return `_headrace/semantics/${hash}.json`;
}
