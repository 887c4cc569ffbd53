import { describe, expect, it } from 'vitest';
import { withoutLetters } from '#src/commands/forget/letter-files.js';
import { isLetterOf } from '#src/commands/forget/letter-match.js';
import { personOf } from '#src/commands/forget/person.js';
import { loadModel } from '#src/model/load.js';

const model = loadModel('clickstream');
const person = personOf(model, 'user_id=u-1');
const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
const isOf = (key: string | null, value: string | null, who = person) =>
  isLetterOf({ key: bytes(key), value: bytes(value) }, who);

describe('a dead letter is the person’s', () => {
  it('by its key, or by the field of what is JSON', () => {
    expect(isOf('u-1', null)).toBe(true);
    expect(isOf('u-12', null)).toBe(false);
    expect(isOf(null, '{"user_id":"u-1"}')).toBe(true);
    expect(isOf(null, '{"user_id":"u-12","page_url":"/u-1"}')).toBe(false);
    expect(isOf('other', '{"user_id":null}')).toBe(false);
    expect(isOf('other', '[1]')).toBe(false);
    expect(isOf('7', '{"user_id":7}', personOf(model, 'user_id=7'))).toBe(true);
    // its own type or not: that may be why it is a dead letter
    expect(isOf(null, '{"user_id":7}', personOf(model, 'user_id=7'))).toBe(true);
    expect(isOf(null, '{"geo":{"city":"Bonn"}}', personOf(model, 'city=Bonn'))).toBe(true);
    // the key says nothing of other fields
    expect(isOf('Bonn', '{}', personOf(model, 'city=Bonn'))).toBe(false);
  });

  it('by a word in what is no JSON', () => {
    expect(isOf(null, '{"user_id":"u-1"')).toBe(true);
    expect(isOf(null, '{"user_id":"u-12"')).toBe(false);
    expect(isOf(null, 'xu-1')).toBe(false);
    expect(isOf(null, 'u-12 u-1')).toBe(true);
    const packed = Buffer.concat([
      Buffer.from([0x81, 0xa7]),
      Buffer.from('user_id'),
      Buffer.from([0xa3]),
      Buffer.from('u-1'),
    ]);
    expect(isLetterOf({ key: null, value: packed }, person)).toBe(true);
    expect(isOf(null, null)).toBe(false);
    const long = 'a'.repeat(0x61);
    const longer = Buffer.concat([Buffer.from([0x81, 0xa1, 0x6b, 0xd9, 0x61]), Buffer.from(long)]);
    expect(isLetterOf({ key: null, value: longer }, personOf(model, `user_id=${long}`))).toBe(true);
    expect(isLetterOf({ key: null, value: longer }, personOf(model, `user_id=${long.slice(1)}`))).toBe(false);
  });
});

describe('a file of dead letters', () => {
  const line = (offset: number, key: string | null, value: string | null, detail = 'not JSON') =>
    JSON.stringify({
      topic: 't',
      partition: 3,
      offset,
      timestamp_ms: 9,
      reason: 'malformed',
      detail,
      key: key && Buffer.from(key).toString('base64'),
      value: value && Buffer.from(value).toString('base64'),
    });

  it('keeps its bytes in number, its lines, their places and coordinates, and everybody else’s letters', () => {
    const text = `${[line(1, 'u-1', 'ü u-1'), line(2, 'x', '{'), line(3, null, '{"user_id":"u-1"}')].join('\n')}\n`;
    const { text: after, erased, unread } = withoutLetters(text, person);
    expect([erased, unread]).toEqual([2, 0]);
    expect(Buffer.byteLength(after)).toBe(Buffer.byteLength(text));
    const lines = after.split('\n');
    expect(lines[1]).toBe(line(2, 'x', '{'));
    expect(JSON.parse(lines[0]!)).toEqual({
      topic: 't',
      partition: 3,
      offset: 1,
      timestamp_ms: 9,
      reason: 'malformed',
      detail: 'erased',
      key: null,
      value: null,
    });
    expect(withoutLetters(after, person)).toEqual({ text: after, erased: 0, unread: 0 });
  });

  it('has room for a letter that is shorter than the word for it', () => {
    const one = personOf(model, 'user_id=1');
    const text = line(1, '1', null, '');
    const { text: after, erased } = withoutLetters(text, one);
    expect(erased).toBe(1);
    expect(after).toHaveLength(text.length);
    expect(JSON.parse(after)).toMatchObject({ key: null, detail: '' });
  });

  it('leaves a line that is none as it is, and counts it', () => {
    expect(withoutLetters('{"torn":\n\n', person)).toEqual({ text: '{"torn":\n\n', erased: 0, unread: 1 });
  });
});
