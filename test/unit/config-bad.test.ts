import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '#src/config/load.js';
import { ConfigError } from '#src/config/problems.js';
import { SURROUNDINGS } from './config-cases.js';

/** A case is two files: what somebody wrote, and exactly what they read then. */
const FOLDER = fileURLToPath(new URL('../fixtures/bad-configs/', import.meta.url));
const CASES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

function failureOf(name: string): ConfigError {
  const text = readFileSync(`${FOLDER}${name}.yaml`, 'utf8');
  try {
    resolveConfig({ name: 'engine.yaml', text }, {}, SURROUNDINGS);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${name}.yaml was accepted`);
}

describe('a wrong configuration', () => {
  it.each(CASES)('%s is refused with exit 78 and the expected words', (name) => {
    const failure = failureOf(name);
    expect(failure.exitCode).toBe(78);
    expect(`${failure.toString()}\n`).toBe(readFileSync(`${FOLDER}${name}.txt`, 'utf8'));
  });

  it.each(CASES)('%s shows no secret', (name) => {
    expect(failureOf(name).toString()).not.toMatch(/hunter2|s3cret/i);
  });
});
