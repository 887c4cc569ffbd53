import type { Surroundings } from '#src/config/load.js';

/** A machine that does not depend on the one the tests run on. */
export const SURROUNDINGS: Surroundings = {
  machine: { cores: 4, memoryBytes: 16 * 2 ** 30 },
  workingFolder: '/work-folder',
};

export const NEEDED = `kafka:
  brokers: localhost:9092
  topic: clicks
  group: g
model: clickstream
lake:
  path: ./lake
`;
