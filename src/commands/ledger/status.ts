import { systemClock } from '../../clock.js';
import { readLedger } from './read-ledger.js';
import { statusJson, statusText } from './status-text.js';

export interface LedgerStatusOptions {
  /** The table, or the folder that holds it. */
  lake: string;
  json: boolean;
  stdout(text: string): void;
}

/** `headrace ledger status`: what is committed per lane, and which snapshots there are. Exit code 0. */
export async function ledgerStatus({ lake, json, stdout }: LedgerStatusOptions): Promise<number> {
  const report = await readLedger(lake);
  stdout(`${json ? JSON.stringify(statusJson(report)) : statusText(report, systemClock.nowMs())}\n`);
  return 0;
}
