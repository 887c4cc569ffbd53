/**
 * The test run: vitest's own output, then one line that a program can read.
 *
 * What vitest counts nowhere is a failure here: a file that could not be loaded, an error outside of tests, a run
 * without tests, a vitest that died.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { runForeground } from './child-processes.mjs';

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @param {string[]} args for vitest
 * @returns {Promise<Counts>}
 */
export async function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-vitest-'));
  const report = join(folder, 'report.json');
  const vitest = inCheckout('node_modules', 'vitest', 'vitest.mjs');
  try {
    const code = await runForeground(
      process.execPath,
      [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
      { cwd: checkout },
    );
    return countResults(tryReadReport(report), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tryReadReport(path) {
  try {
    return readJson(path);
  } catch {
    return undefined;
  }
}

/**
 * @param {any} report vitest's JSON, or undefined when it wrote none
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countResults(report, exitCode) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failedTests = tests.filter((test) => test.status === 'failed').length;
  // a file can fail without a failed test: it did not load, or a hook threw
  const failedFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = failedTests + failedFiles;
  const isUnexplained = failed === 0 && (exitCode !== 0 || passed === 0);
  return {
    passed,
    failed: isUnexplained ? 1 : failed,
    skipped: tests.length - passed - failedTests,
  };
}

/** `12 passed, 0 failed`, and how many were skipped if any. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
