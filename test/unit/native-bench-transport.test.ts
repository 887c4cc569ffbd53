import { expect, test } from 'vitest';
import { runTransport } from '../../native-bench/transport/command.js';

test('flags that are not known are refused', async () => {
  const output = { print: () => undefined, progress: () => undefined };
  await expect(runTransport(['--answer-mb', '1'], output)).rejects.toThrow('answer-mb');
  await expect(runTransport(['--answer-mib', '0'], output)).rejects.toThrow('from 1 on');
});
