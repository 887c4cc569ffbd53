import { HeadraceError } from '../errors.js';

/** One thing wrong with the configuration. */
export interface Problem {
  /** Dotted path in the file's words, e.g. `kafka.session_timeout`; '' for the file as a whole. */
  path: string;
  /** What is wrong and what to write, without the path. */
  message: string;
  /** Line in the file, from 1. */
  line?: number | undefined;
  /** The flag that gave the value. */
  flag?: string | undefined;
}

/** CONFIG_INVALID with everything that is wrong at once: nobody wants to find ten errors in ten starts. */
export class ConfigError extends HeadraceError {
  readonly problems: readonly Problem[];

  /** `example`: a command line that would work, shown behind the problems. */
  constructor(problems: readonly Problem[], file: string | undefined, example?: string) {
    const lines = problems.map((problem) => renderOne(problem, file));
    const one = lines.length === 1;
    const hint = example === undefined ? undefined : `for example: ${example}`;
    const list = hint === undefined ? lines : [...lines, hint];
    const message = one ? lines[0]! : `${lines.length} problems in the configuration\n  ${list.join('\n  ')}`;
    super('CONFIG_INVALID', message, one && hint !== undefined ? { remedy: hint } : {});
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function renderOne(problem: Problem, file: string | undefined): string {
  const place = problem.line === undefined || file === undefined ? '' : `${file}:${problem.line}: `;
  const name = problem.flag ?? (problem.path === '' ? (file ?? 'configuration') : problem.path);
  const also = problem.flag === undefined || problem.path === '' ? '' : ` (${problem.path})`;
  return `${place}${name}${also}: ${problem.message}`;
}
