import { expect, it } from 'vitest';
import { compareBrokers, smallProfile, threadSteps } from '#src/commands/kafka/compare-brokers.js';
import type { Setting, Settings } from '#src/kafka/admin.js';
import { isWiring, parseProfile, profileText } from '#src/kafka/profiles.js';

const shipped = parseProfile(profileText('standard')).filter((setting) => !isWiring(setting));

const RESTART_ONLY = ['default.replication.factor', 'socket.send.buffer.bytes', 'log.retention.hours'];

/** A broker with the shipped settings, from its file, and some others. */
function brokerWith(others: Record<string, Partial<Setting>> = {}): Settings {
  const plain = shipped.map(({ name, value }): [string, Setting] => [
    name,
    { value, readOnly: RESTART_ONLY.includes(name), from: 'file' },
  ]);
  const changed = Object.entries(others).map(([name, setting]): [string, Setting] => [
    name,
    { value: null, readOnly: RESTART_ONLY.includes(name), from: 'file', ...setting },
  ]);
  return new Map([...plain, ...changed]);
}

function differences(...brokers: Settings[]) {
  const byId = new Map(brokers.map((settings, index) => [index + 1, settings]));
  return compareBrokers(shipped, {
    brokers: byId,
    bootstrap: 'k:9092',
    file: 'config/kafka/standard.properties',
  });
}

const ALTER = 'kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type brokers';

it('brokers with the shipped settings do not differ', () => {
  expect(differences(brokerWith(), brokerWith())).toEqual([]);
});

it('brokers that have the same instead stand in one difference, with the comment of the file', () => {
  const few = brokerWith({ 'num.io.threads': { value: '3' } });
  expect(differences(few, brokerWith(), few)).toEqual([
    {
      brokers: [1, 3],
      setting: 'num.io.threads',
      found: '3',
      wanted: '8',
      why: expect.stringMatching(/disk/),
      // more than double at once is refused
      mend: `${ALTER} --entity-default --add-config num.io.threads=6 && ${ALTER} --entity-default --add-config num.io.threads=8`,
    },
  ]);
});

it('what was set for one broker alone is mended there, for it goes before what is set for all', () => {
  const one = brokerWith({ 'compression.type': { value: 'gzip', from: 'broker' } });
  expect(differences(brokerWith(), one)[0]!.mend).toBe(
    `${ALTER} --entity-name 2 --add-config compression.type=lz4`,
  );
});

it('what only a restart changes says where to write it', () => {
  const [difference] = differences(brokerWith({ 'default.replication.factor': { value: '1' } }));
  expect(difference!.mend).toBe(
    'write default.replication.factor=3 into server.properties of broker 1 (as in config/kafka/standard.properties), restart one broker after the other',
  );
});

it('retention in a finer unit goes before hours, and is what a running broker can be told', () => {
  expect(differences(brokerWith({ 'log.retention.ms': { value: '604800000' } }))).toEqual([]);
  expect(differences(brokerWith({ 'log.retention.minutes': { value: '10080' } }))).toEqual([]);
  const forEver = differences(brokerWith({ 'log.retention.ms': { value: '-1' } }));
  expect(forEver).toMatchObject([
    { setting: 'log.retention.hours', found: 'log.retention.ms=-1', wanted: '168' },
  ]);
  expect(forEver[0]!.mend).toBe(`${ALTER} --entity-default --add-config log.retention.ms=604800000`);
  const hours = differences(brokerWith({ 'log.retention.hours': { value: '24' } }));
  expect(hours).toMatchObject([{ found: '24', mend: forEver[0]!.mend }]);
});

it('a setting that a broker does not know, or hides, differs', () => {
  expect(differences(brokerWith({ 'compression.type': {} }))).toMatchObject([{ found: 'not set' }]);
});

it.each([
  [3, 8, [6, 8]],
  [1, 4, [2, 4]],
  [8, 16, [16]],
  [16, 8, [8]],
  [16, 3, [8, 4, 3]],
  [5, 5, []],
])('threads go from %i to %i by %j', (from, to, steps) => {
  expect(threadSteps(from, to)).toEqual(steps);
});

it('for development no more copies than brokers are wanted, and one broker may be down', () => {
  const values = (brokers: number) => {
    const byName = new Map(smallProfile(shipped, brokers).map(({ name, value }) => [name, value]));
    return ['default.replication.factor', 'min.insync.replicas', 'transaction.state.log.min.isr'].map(
      (name) => byName.get(name),
    );
  };
  expect(values(1)).toEqual(['1', '1', '1']);
  expect(values(2)).toEqual(['2', '1', '1']);
  expect(values(3)).toEqual(['3', '2', '2']);
  expect(smallProfile(shipped, 3)).toEqual(shipped);
});
