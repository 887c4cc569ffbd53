import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  isWiring,
  JVM_FILE,
  PROFILES,
  type Profile,
  parseProfile,
  profileText,
} from '#src/kafka/profiles.js';

function settingsOf(profile: Profile): Record<string, string> {
  return Object.fromEntries(parseProfile(profileText(profile)).map(({ name, value }) => [name, value]));
}

it.each(PROFILES)('each line of %s says why, and none stands there twice', (profile) => {
  const settings = parseProfile(profileText(profile));
  for (const { name, why } of settings) expect(why.length, name).toBeGreaterThan(10);
  const names = settings.map(({ name }) => name);
  expect([...new Set(names)]).toEqual(names);
  // and the parser, whose Java format is a plain one, has seen every line
  const lines = profileText(profile).split('\n');
  expect(names.length).toBe(lines.filter((line) => line !== '' && !line.startsWith('#')).length);
});

it('the profiles differ in threads and buffers and nothing else', () => {
  const [standard, throughput] = [settingsOf('standard'), settingsOf('throughput')];
  expect(Object.keys(throughput)).toEqual(Object.keys(standard));
  const differing = Object.keys(standard).filter((name) => standard[name] !== throughput[name]);
  expect(Object.fromEntries(differing.map((name) => [name, [standard[name], throughput[name]]]))).toEqual({
    'num.network.threads': ['8', '16'],
    'num.io.threads': ['8', '16'],
    'socket.send.buffer.bytes': ['102400', '1048576'],
    'socket.receive.buffer.bytes': ['102400', '1048576'],
    'queued.max.requests': ['500', '1000'],
    'num.replica.fetchers': ['1', '4'],
  });
});

it('what is compared with running brokers leaves out how a node is wired', () => {
  const wiring = parseProfile(profileText('standard')).filter(isWiring);
  expect(wiring.map(({ name }) => name)).toEqual([
    'process.roles',
    'controller.listener.names',
    'listener.security.protocol.map',
    'inter.broker.listener.name',
  ]);
});

it('a comment belongs to the line below it, and a blank line ends it', () => {
  expect(parseProfile('# of nobody\n\n# why\n# it is so\na.b = c=d\ne=\n')).toEqual([
    { name: 'a.b', value: 'c=d', why: 'why it is so' },
    { name: 'e', value: '', why: '' },
  ]);
});

it('each flag of the JVM says why', () => {
  const parts = readFileSync(JVM_FILE, 'utf8').trim().split('\n\n').slice(1);
  for (const part of parts) expect(part).toMatch(/^# .{10,}\n(# .*\n)*-X\S+$/);
  expect(parts.length).toBeGreaterThan(4);
});
