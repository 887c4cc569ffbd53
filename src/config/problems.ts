import { HeadraceError } from '../errors.js';

/** One thing wrong with the configuration. */
export interface Problem {
  /** Dotted path in the file's words, e.g. `kafka.session_timeout`; '' for the file as a whole. */
  path: string;
  /** What is wrong and what to write, without the path. */
  message: string;
  /** The setting that was probably meant by a mistyped one. */
  meant?: string | undefined;
  /** Line in the file, from 1. */
  line?: number | undefined;
  /** The file that the line is of, where there are several. */
  file?: string | undefined;
  /** The flag, or the variable of the environment, that gave the value. */
  flag?: string | undefined;
}

/** Behind every line. */
const LAST = Number.MAX_SAFE_INTEGER;

/** CONFIG_INVALID with everything that is wrong at once, in the order of the file: nobody wants to find ten errors in ten starts. */
export class ConfigError extends HeadraceError {
  readonly problems: readonly Problem[];

  /** `example`: a command line that would work, shown behind the problems. */
  constructor(problems: readonly Problem[], file: string | undefined, example?: string) {
    const files = [...new Set(problems.map((problem) => problem.file))];
    const place = ({ file: own }: Problem) => (own === undefined ? LAST : files.indexOf(own));
    const sorted = [...problems].sort((a, b) => place(a) - place(b) || (a.line ?? LAST) - (b.line ?? LAST));
    const lines = sorted.map((problem) => renderOne(problem, file));
    const one = lines.length === 1;
    const hint = example === undefined ? undefined : `for example: ${example}`;
    const list = hint === undefined ? lines : [...lines, hint];
    const message = one ? lines[0]! : `${lines.length} problems in the configuration\n  ${list.join('\n  ')}`;
    super('CONFIG_INVALID', message, one && hint !== undefined ? { remedy: hint } : {});
    this.name = 'ConfigError';
    this.problems = sorted;
  }
}

function renderOne({ path, line, flag, message, file: own }: Problem, last: string | undefined): string {
  const file = own ?? last;
  if (flag !== undefined) return path === '' ? `${flag}: ${message}` : `${flag} (${path}): ${message}`;
  const parts = line === undefined || file === undefined ? [] : [`${file}:${line}`];
  if (path !== '') parts.push(path);
  else if (parts.length === 0) parts.push(file ?? 'configuration');
  return [...parts, message].join(': ');
}
