import type { ReplayAnswer } from '../../page/client/letter-answers.js';
import { createLog } from '../../telemetry/log.js';
import { replayLetters } from '../dlq/replay.js';
import type { PageRequest } from './requests.js';

/** As `headrace dlq replay` does it, or without `yes` would. Throws what it throws. */
export async function replayAnswer({
  config,
  filter,
  refusedToo,
  yes,
}: Extract<PageRequest, { kind: 'replay' }>): Promise<ReplayAnswer> {
  const log = createLog({ level: 'warn', format: config.log.format });
  const report = await replayLetters({ config, ...filter, refusedToo, yes }, log);
  const { topic, done, reasons, notesMissing, troubles } = report;
  const sent = reasons.reduce((sum, reason) => sum + reason.sent, 0);
  return { topic, done, sent, reasons, notesMissing, troubles };
}
