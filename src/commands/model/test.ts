import { readFileSync, writeFileSync } from 'node:fs';
import { HeadraceError, messageOf } from '../../errors.js';
import { loadModel } from '../../model/load.js';
import { formatTable } from '../../telemetry/progress.js';
import { type Difference, differences, readExpected } from './test-compare.js';
import { type Found, runEvents } from './test-events.js';

export interface ModelTestOptions {
  model: string;
  /** Paths of files of JSON lines. */
  events: string;
  expected: string;
  /** Write what was found to `expected` in place of comparing. */
  write: boolean;
  json: boolean;
  stdout(text: string): void;
}

const DIFFERENCES_SHOWN_MAX = 50;

/** 0: what came out is what was expected; 1: it is not. Throws HeadraceError for files that can't be read. */
export async function modelTest(options: ModelTestOptions): Promise<number> {
  const { model: name, events, expected, write, json, stdout } = options;
  const model = loadModel(name);
  const found = runEvents(model, textOf(events), events);
  if (write) {
    writeFileSync(expected, expectedText(found));
    stdout(
      json
        ? `${JSON.stringify({ written: expected, ...countsOf(found) })}\n`
        : `${expected}: ${countsText(found)}\n`,
    );
    return 0;
  }
  const different = differences(readExpected(model, textOf(expected), expected), found);
  if (json) stdout(`${JSON.stringify({ ...countsOf(found), differences: different })}\n`);
  else
    stdout(
      different.length === 0 ? `${countsText(found)}: as expected\n` : differencesText(found, different),
    );
  return different.length === 0 ? 0 : 1;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HeadraceError('CONFIG_INVALID', `can't be read: ${messageOf(error)}`, { where: { path } });
  }
}

function expectedText({ rows, deadLetters }: Found): string {
  const letters = deadLetters.map(({ line, reason }) => ({ $dead_letter: { line, reason } }));
  return [...rows, ...letters].map((each) => `${JSON.stringify(each)}\n`).join('');
}

function countsOf({ rows, deadLetters, changes }: Found) {
  return { sessions: rows.length, changes, deadLetters: deadLetters.length };
}

function countsText(found: Found): string {
  const { sessions, changes, deadLetters } = countsOf(found);
  return `${sessions} sessions (${changes} rows with their revisions), ${deadLetters} dead letters`;
}

function differencesText(found: Found, all: readonly Difference[]): string {
  const table = formatTable(
    ['session', 'column', 'expected', 'found'],
    all.slice(0, DIFFERENCES_SHOWN_MAX).map((each) => [each.what, each.column, each.expected, each.found]),
  );
  const hidden = all.length - DIFFERENCES_SHOWN_MAX;
  return `${countsText(found)}: not as expected\n\n${table}\n${hidden > 0 ? `and ${hidden} more\n` : ''}`;
}
