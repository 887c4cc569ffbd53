import { messageOf } from '#src/errors.js';
import { figuresText, runCompaction, USAGE } from './compaction/command.js';

/** Run by `npm run bench -- compaction`. Figures go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    const { figures, json } = await runCompaction(
      args,
      (text) => process.stderr.write(`${text} …\n`),
      process.env.HEADRACE_DELTA_RS,
    );
    process.stdout.write(`${json ? JSON.stringify(figures) : figuresText(figures)}\n`);
  } catch (error) {
    process.stderr.write(`compaction: ${messageOf(error)}\n\n${USAGE}\n`);
    process.exitCode = 1;
  }
}
