import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { committedOffsets } from '../../kafka/committed-offsets.js';
import type { CommittedOffset } from '../../kafka/group-member.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import { isOurNote, tableOfNote } from '../../ledger/offset-note.js';
import type { Log } from '../../telemetry/log.js';

/**
 * The group's committed offsets decide nothing, but they say who wrote them. Two tables under one group would each get some of the
 * partitions, and both would have holes: that is refused. Offsets that somebody moved by hand are told of.
 */
export interface GroupOffsetsOptions {
  config: EngineConfig;
  /** Id of the Delta table. */
  tableId: string;
  log: Log;
}

const ASK_MS = 3_000;

/** At boot, before the group is joined. False: the group can't be asked now, ask again when it assigns partitions. */
export async function checkGroupAtBoot(
  options: GroupOffsetsOptions,
  partitions: readonly number[],
): Promise<boolean> {
  const { kafka } = options.config;
  let found: Map<number, CommittedOffset>;
  try {
    const extra = librdkafkaOf(kafka);
    found = await committedOffsets({ ...kafka, extra, partitions, timeoutMs: ASK_MS, clock: systemClock });
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.disposition === 'exit') throw error;
    options.log.debug({ error }, 'the committed offsets of the group can not be asked for now');
    return false;
  }
  judgeOffsets(options, found);
  return true;
}

/** Throws HeadraceError LAKE_NOT_OURS when the group works for another table. `tellMoved`: of offsets that others wrote. */
export function judgeOffsets(
  { config: { kafka }, tableId, log }: GroupOffsetsOptions,
  found: ReadonlyMap<number, CommittedOffset>,
  tellMoved = true,
): void {
  const strange: number[] = [];
  for (const [partition, { metadata }] of found) {
    const table = tableOfNote(metadata);
    if (table !== null && table !== tableId) throw otherTable(kafka, partition, table, tableId);
    if (!isOurNote(metadata)) strange.push(partition);
  }
  if (strange.length === 0 || !tellMoved) return;
  log.warn(
    { group: kafka.group, topic: kafka.topic, partitions: strange.sort((a, b) => a - b).join(',') },
    'the group’s committed offsets were not written by headrace, or were reset: they decide nothing, the ledger does; headrace ledger reset moves partitions',
  );
}

function otherTable(
  { group, topic, brokers }: EngineConfig['kafka'],
  partition: number,
  theirs: string,
  ours: string,
): HeadraceError {
  return new HeadraceError('LAKE_NOT_OURS', 'the consumer group works for another table', {
    where: { group, topic, partition, their_table: theirs, our_table: ours },
    remedy: `give this table a group of its own (--group), or name the other table (--lake); if that one is gone for good: kafka-consumer-groups.sh --bootstrap-server ${brokers[0]} --group ${group} --topic ${topic} --delete-offsets`,
  });
}
