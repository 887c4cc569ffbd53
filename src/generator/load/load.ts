import { partitionOfBytes } from '../murmur2.js';
import { type EventLayout, eventLayout, userKey } from './event-layout.js';
import { EventText } from './event-text.js';
import { type Films, makeFilms } from './films.js';
import { LoadModule } from './load-module.js';
import type { LoadSpec } from './load-plan.js';
import { layTables } from './load-tables.js';
import { PartitionLoad } from './partition-load.js';

/** A load, or the part of it that some partitions take. */
export interface Load {
  layout: EventLayout;
  films: Films;
  module: LoadModule;
  /** Where its tables lie. */
  model: number;
  partitions: readonly PartitionLoad[];
}

/** What is known before the rest of the plan. */
export function filmsFor(
  spec: Pick<LoadSpec, 'model' | 'users' | 'seed' | 'sessions' | 'eventsPerSessionMean'>,
) {
  const layout = eventLayout(spec.model, spec.users);
  return { layout, films: makeFilms({ ...spec, layout }) };
}

/** `isOurs`: the partitions that are wanted. */
export function makeLoad(spec: LoadSpec, isOurs: (partition: number) => boolean): Load {
  const { layout, films } = filmsFor(spec);
  const module = new LoadModule();
  const { model, scenes } = layTables(module, { ...spec, layout, films });
  const text = new EventText(layout, films.pieces);
  const common = { module, scenes, text, seed: spec.seed };
  const users = usersByPartition(spec, layout);
  const share = Math.floor(spec.records / spec.partitions);
  const rest = spec.records - share * spec.partitions;
  const partitions = Array.from({ length: spec.partitions }, (_, partition) => partition)
    .filter(isOurs)
    .map((partition) => {
      const recordsMax = share + (partition < rest ? 1 : 0);
      return new PartitionLoad({ ...common, users: users[partition]!, partition, recordsMax });
    });
  return { layout, films, module, model, partitions };
}

/** Where the user is the key, Kafka's partitioner says which are whose; where the session is, they are shared out. */
function usersByPartition({ users, partitions }: LoadSpec, layout: EventLayout): Int32Array[] {
  const byPartition: number[][] = Array.from({ length: partitions }, () => []);
  for (let user = 0; user < users; user++) {
    const partition = layout.userFirst
      ? partitionOfBytes(Buffer.from(userKey(user, layout), 'latin1'), partitions)
      : user % partitions;
    byPartition[partition]!.push(user);
  }
  return byPartition.map((numbers) => Int32Array.from(numbers));
}
