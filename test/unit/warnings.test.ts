import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * A warning says what is wrong and, behind it, what happens now or what to do: "…; trying again", "…: headrace … mends it". Read from the
 * sources, so that it holds for those that no test ever sees. An error that goes with one has its remedy besides (telemetry-log).
 */
const LITERAL = /'(?:[^'\\]|\\.)*'|`(?:\\.|\$\{(?:[^`{}]|`[^`]*`)*\}|[^`\\])*`|"(?:[^"\\]|\\.)*"/g;
const SECOND_PART = /[;:,] |\$\{/;

/** The messages with which a source warns, as they are written there. */
function warningsIn(source: string): string[] {
  return [...source.matchAll(/\.warn\(/g)].flatMap(({ index }) => {
    const call = argumentsAt(source, index + '.warn('.length);
    const last = call.match(LITERAL)?.at(-1);
    // a message that is made elsewhere is a variable here
    return last !== undefined && call.trimEnd().replace(/,$/, '').endsWith(last) ? [last.slice(1, -1)] : [];
  });
}

function argumentsAt(source: string, start: number): string {
  const rest = source.slice(start);
  let depth = 1;
  for (const { 0: part, index } of rest.matchAll(new RegExp(`${LITERAL.source}|[()]`, 'g'))) {
    depth += part === '(' ? 1 : part === ')' ? -1 : 0;
    if (depth === 0) return rest.slice(0, index);
  }
  return rest;
}

const isShort = (message: string) => !SECOND_PART.test(message);

describe('warnings', () => {
  it('say what happens now, or what to do', () => {
    const messages = ['src', 'workers'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) =>
          warningsIn(readFileSync(join(folder, file), 'utf8')).map((message) => ({ file, message })),
        ),
    );
    expect(messages.length).toBeGreaterThan(40);
    expect(messages.filter(({ message }) => isShort(message))).toEqual([]);
  });

  it('and one that does not would be found', () => {
    const source = `log.warn({ a: f('x; y') }, 'it broke');\nlog.warn(\n  fields,\n  \`it broke; trying again\`,\n);\nlog.warn(fields, text);`;
    expect(warningsIn(source)).toEqual(['it broke', 'it broke; trying again']);
    expect(warningsIn(source).filter(isShort)).toEqual(['it broke']);
  });
});
