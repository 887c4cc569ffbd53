import { systemClock } from '../../clock.js';
import { deltaSchema } from '../../columnar/schema.js';
import type { EngineConfig } from '../../config/types.js';
import type { DeltaLog } from '../../lake/delta/log.js';
import { lackingColumns } from '../../lake/delta/schema.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { addedColumns } from '../../ledger/added-columns.js';
import { migrationActions } from '../../ledger/column-migration.js';
import { newCutId } from '../../ledger/cut-id.js';
import { putErasure } from '../../ledger/erasure.js';
import type { LedgerHistory } from '../../ledger/history.js';
import { factsOf, historyFrom } from '../../ledger/ledger.js';
import { otherSemantics, readRules, type Semantics, semanticsOf } from '../../ledger/semantics.js';
import type { CompiledModel } from '../../model/types.js';
import { systemRandom } from '../../random.js';

export interface AddColumnsOptions {
  store: ObjectStore;
  delta: DeltaLog;
  history: LedgerHistory;
  owner: { group: string; topic: string };
  config: EngineConfig;
  model: CompiledModel;
  semantics: Semantics;
  engineId: string;
  version: string;
  onAdded(columns: readonly string[], version: number): void;
}

/**
 * Brings a table to a model that has more columns and is the same in all else. Nothing to do: the rules are those of the table's last
 * version. Others may write meanwhile, or do the same; then it is looked at again what is to do.
 *
 * @throws HeadraceError LAKE_NOT_OURS with what differs besides, or with the lanes that stand at no snapshot
 */
export async function addColumns(options: AddColumnsOptions): Promise<void> {
  const { store, delta, history, config, model, semantics, onAdded } = options;
  for (;;) {
    const last = history.lastSemantics;
    const lacking = lackingColumns(delta.metaData.schema, deltaSchema(model));
    if (last === semantics.hash || (last === null && lacking.length === 0)) return;
    const rules = last === null ? null : await readRules(store, last);
    if (last === null || rules === null) throw otherSemantics(last ?? 'none', semantics.hash);
    const added = addedColumns(rules, semantics.rules, model);
    if ('refused' in added) throw otherSemantics(last, semantics.hash, added.refused);
    if (semanticsOf(added.before, config).hash !== last) throw otherSemantics(last, semantics.hash);
    const columns = added.columns.filter((name) => lacking.includes(name));
    const identity = { attempt: systemRandom.id63().toString(36), nowMs: systemClock.nowMs() };
    const cutId = newCutId(systemClock, systemRandom).toString();
    const actions = await migrationActions({
      ...options,
      ...identity,
      added: { ...added, columns },
      cutId,
      semantics: semantics.hash,
    });
    const outcome = await putErasure(delta, actions, { clock: systemClock, random: systemRandom });
    if (outcome === 'conflict') {
      await delta.refresh(historyFrom(history).onVersion);
      continue;
    }
    history.apply(factsOf({ version: delta.version, actions }));
    onAdded(columns, delta.version);
    return;
  }
}
