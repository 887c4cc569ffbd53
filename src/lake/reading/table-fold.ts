import { HeadraceError } from '../../errors.js';
import type { Action, Add, Protocol } from '../delta/actions.js';
import { parseSchema } from '../delta/schema.js';
import type { TableMetaData, TxnState } from '../delta/table-state.js';

/**
 * What versions add up to, for those who look at a table: with the files' statistics, and without a judgement on lanes (an
 * engine's own reading, `delta/table-state`, refuses what it must not go on from; here it is shown).
 */
export class TableFold {
  readonly files = new Map<string, Add>();
  readonly txns = new Map<string, TxnState>();
  #protocol: Protocol | null = null;
  #metaData: TableMetaData | null = null;
  #version = -1;

  get version(): number {
    return this.#version;
  }

  get protocol(): Protocol {
    return this.#protocol ?? lacking(this.#version, 'protocol');
  }

  get metaData(): TableMetaData {
    return this.#metaData ?? lacking(this.#version, 'metaData');
  }

  /** Throws HeadraceError LAKE_LOG_CORRUPT for a schema that can't be read. */
  apply(version: number, actions: readonly Action[]): void {
    for (const action of actions) {
      if ('protocol' in action) this.#protocol = action.protocol;
      else if ('metaData' in action) {
        const schema = parseSchema(action.metaData.schemaString, { version });
        this.#metaData = { ...action.metaData, schema };
      } else if ('txn' in action) {
        this.txns.set(action.txn.appId, { version: action.txn.version, committedIn: version });
      } else if ('remove' in action) this.files.delete(action.remove.path);
      else if ('add' in action) this.files.set(action.add.path, action.add);
    }
    this.#version = version;
  }
}

function lacking(version: number, what: string): never {
  throw new HeadraceError('LAKE_LOG_CORRUPT', `the table's log has no ${what} up to version ${version}`, {
    where: { version },
    remedy: 'restore the log from a copy of the table',
  });
}
