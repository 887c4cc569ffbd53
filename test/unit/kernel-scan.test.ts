import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseEvent } from '#src/reference/event.js';
import { KernelScan } from '../support/kernel-scan.js';
import { clickstream, epochMs, odd, twins } from '../support/kernel-scan-models.js';

const BYTES_MAX = 8 * 1024 * 1024;
const AT = '2026-01-30T06:00:11.645Z';

/** Names of cases with an escaped key, which the kernel leaves to the host where it could be a selected one. */
const ESCAPED_KEY = /^y_object_(escaped_key|key_with_nul_escape)$/;

let scan: KernelScan;

beforeAll(() => {
  scan = new KernelScan(odd, BYTES_MAX);
});

/** What the reference makes of it; null: a dead letter. */
function reference(document: Uint8Array | string) {
  const parsed = parseEvent(odd, Buffer.from(document), -1);
  return parsed.ok ? parsed.values : null;
}

/** An event with something more in it. */
function event(more: string): string {
  return `{"u":"me","t":"${AT}"${more}}`;
}

/** The value of a field by its name. */
function field(document: string, name: string) {
  const index = odd.fields.findIndex(({ path }) => path.join('.') === name);
  return scan.scanOne(document)?.[index];
}

/**
 * test/fixtures/json/cases.json: texts that every parser has to accept (y_), to refuse (n_), or may do either with (i_), as
 * text or { hex } where they are not UTF-8.
 */
describe('a case of JSON', () => {
  const file = new URL('../fixtures/json/cases.json', import.meta.url);
  const cases = Object.entries(
    JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | { hex: string }>,
  );
  const bytesOf = (text: string | { hex: string }) =>
    typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.hex, 'hex');

  const isJson = (bytes: Uint8Array) => {
    try {
      JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
      return true;
    } catch {
      return false;
    }
  };

  /** Where a case is put: the document, and whether the event is one if the case is JSON. */
  const places: [string, (text: Buffer) => Buffer, boolean][] = [
    ['the whole document', (text) => text, false],
    ['an ignored value', (text) => around(',"x":', text, ''), true],
    ['an ignored value in the middle', (text) => around(',"x":', text, ',"n":1.5'), true],
    ['in an ignored list', (text) => around(',"x":[', text, ',0]'), true],
    ['in an ignored object', (text) => around(',"x":{"y":', text, '}'), true],
    ['a selected string', (text) => around(',"constructor":', text, ''), false],
    ['a selected number', (text) => around(',"n":', text, ''), false],
    ['a selected object', (text) => around(',"a":', text, ''), false],
    ['a nested string', (text) => around(',"a":{"b":{"c":', text, '}}'), false],
  ];
  const around = (before: string, text: Buffer, behind: string) =>
    Buffer.concat([Buffer.from(event('').slice(0, -1) + before), text, Buffer.from(`${behind}}`)]);

  it('is there in great number', () => {
    expect(cases.length).toBeGreaterThan(250);
  });

  it.each(cases)('%s', (name, text) => {
    const alone = bytesOf(text);
    if (!name.startsWith('i_')) expect(isJson(alone)).toBe(name.startsWith('y_'));
    for (const [place, put, isEvent] of places) {
      const document = put(alone);
      const expected = reference(document);
      // the second time along the shape that the first has taught
      for (const turn of [1, 2, 3]) {
        const got = scan.scanOne(document);
        const said = { place, turn, got };
        if (name.startsWith('n_')) expect(said).toEqual({ place, turn, got: null });
        else if (name.startsWith('y_') && (isEvent || expected !== null)) {
          expect(expected).not.toBeNull();
          const decided = place === 'a selected object' && ESCAPED_KEY.test(name) ? null : expected;
          expect(said).toEqual({ place, turn, got: decided });
        } else if (got !== null) expect(said).toEqual({ place, turn, got: expected });
      }
    }
  });
});

describe('an event', () => {
  it('is undecided from each of its beginnings, whatever lies behind', () => {
    const model = clickstream;
    const clicks = new KernelScan(model, BYTES_MAX);
    const whole = Buffer.from(
      `{"event_id":"828194a5-2e78","timestamp":"${AT}","user_id":"u","event_type":"x","geo":{"latitude":51.5074,"city":"Zürich"},"tags":[1,{"a":"b"}],"page_url":null}`,
    );
    for (let turn = 0; turn < 3; turn++) {
      expect(clicks.scanOne(whole)).toEqual(parsedBy(model, whole));
      for (let bytes = 0; bytes < whole.length; bytes++) {
        // back to back, so that behind the piece lies what would complete it
        const placed = clicks.place([whole.subarray(0, bytes), whole.subarray(bytes), whole]);
        expect(clicks.scan(placed, 0)).toBeNull();
        expect(clicks.scan(placed, 2)).not.toBeNull();
      }
    }
  });

  const parsedBy = (model: typeof clickstream, document: Uint8Array) => {
    const parsed = parseEvent(model, document, -1);
    return parsed.ok ? parsed.values : null;
  };

  it('does not depend on the bytes behind it', () => {
    const document = Buffer.from(event(',"n":12'));
    for (const behind of [0, 0x20, 0x22, 0x2c, 0x30, 0x5c, 0x65, 0x7d, 0xff]) {
      expect(scan.scan(scan.place([document], behind), 0)).toEqual(reference(document));
      for (const cut of [event(',"n":1').slice(0, -1), event(',"constructor":"x').slice(0, -1)]) {
        expect(scan.scan(scan.place([Buffer.from(cut)], behind), 0)).toBeNull();
      }
    }
  });

  it('may hold strings of a megabyte', () => {
    const long = 'long '.repeat(200_000);
    expect(field(event(`,"constructor":"${long}"`), 'constructor')).toBe(long);
    expect(field(event(`,"constructor":"\\n${long}é"`), 'constructor')).toBe(`\n${long}é`);
    expect(field(event(`,"x":"${long}\\u0041","constructor":"y"`), 'constructor')).toBe('y');
    expect(scan.scanOne(event(`,"x":"${long}\u0001"`))).toBeNull();
    expect(scan.scanOne(event(`,"x":"${long}`))).toBeNull();
  });

  it.each([
    ['a selected container twice', ',"a":{},"a":{"bb":"x"}'],
    ['a selected container twice, once null', ',"a":{"bb":"x"},"a":null'],
    ['an escaped key', ',"\\u006e":1'],
    ['an escaped key in a container', ',"a":{"\\u0062b":"x"}'],
    ['depth over 500', `,"x":${'['.repeat(501)}${']'.repeat(501)}`],
  ])('with %s is left to the host', (_, more) => {
    expect(reference(event(more))).not.toBeNull();
    for (const _turn of [1, 2]) expect(scan.scanOne(event(more))).toBeNull();
  });

  it('takes the last of scalars that come twice', () => {
    for (const more of [
      ',"n":1,"n":2',
      ',"n":1,"n":null',
      ',"n":null,"n":3',
      ',"constructor":"a","constructor":"b"',
    ]) {
      expect(scan.scanOne(event(more))).toEqual(reference(event(more)));
    }
    expect(scan.scanOne(event(',"u":null'))).toBeNull();
  });

  it('is read along its shape with keys of any length', () => {
    const key = 'a_key_that_is_longer_than_thirty_two_bytes_and_goes_on';
    const documents = [
      `,"${key}":"x","${key}_":7`,
      `,"${key}_":7,"${key}":"x"`,
      `,"${key}":null,"${key}_":null`,
      `,"${key}x":"x","${'y'.repeat(500)}":7,"n":1`,
      ',"exactly_sixteen_":"a","exactly_sixteen_s":"b"',
      ',"12345678":"a","123456789":"b","1234567":"c"',
    ];
    for (let turn = 0; turn < 3; turn++) {
      for (const more of documents) expect(scan.scanOne(event(more))).toEqual(reference(event(more)));
    }
  });
});

describe('along one shape', () => {
  const probe = () => new KernelScan(odd, BYTES_MAX);
  const same = (scanning: KernelScan, document: string) =>
    expect(scanning.scanOne(document)).toEqual(reference(document));

  // so that its node first expects one length, then others, then none
  it.each([[[0]], [[11]], [[15, 16]], [[36]], [[36, 47, 48]], [[100, 3]]])(
    'strings of any length follow those of %j bytes',
    (first) => {
      const scanning = probe();
      for (let turn = 0; turn < 6; turn++) {
        for (const bytes of first) same(scanning, event(`,"constructor":"${'x'.repeat(bytes)}","n":1`));
      }
      for (let bytes = 0; bytes < 160; bytes += bytes < 50 ? 1 : 7) {
        const text = 'y'.repeat(bytes);
        same(scanning, event(`,"constructor":"${text}","n":1`));
        for (const other of ['é', '\\n', '"', '\u0001', '\\u00zz']) {
          for (const at of [0, bytes >> 1, bytes]) {
            same(scanning, event(`,"constructor":"${text.slice(0, at)}${other}${text.slice(at)}","n":1`));
          }
        }
      }
    },
  );

  it('times of all forms follow each other', () => {
    const scanning = probe();
    const minute = '2026-01-30T06:00';
    const seconds = ['00.000', '59.999', '60.000', '5a.000', '09.9:9', '09.99', '09.9999', '09', '9.0000'];
    const times = [...seconds, '00,000', '00.00a', '0:.000', '00.000'].map(
      (second) => `${minute}:${second}Z`,
    );
    for (const rest of ['', 'z', '+01:00', 'Zx', 'Z\\n']) times.push(`${minute}:11.645${rest}`);
    times.push('1970-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '1970-01-01T00:00:59.999Z');
    times.push('2262-12-31T23:59:59.999Z', '2263-01-01T00:00:00.000Z', '2262-12-31T23:59:00.000Z');
    times.push('2024-02-29T23:59:59.999Z', '2025-02-29T00:00:00.000Z', '2026-01-30T24:00:00.000Z', '');
    for (let turn = 0; turn < 3; turn++) {
      for (const time of times) {
        for (const at of [time, `${minute}:30.123Z`, time]) same(scanning, `{"u":"me","t":"${at}","n":1}`);
      }
    }
  });

  it('numbers of all forms follow each other', () => {
    const scanning = probe();
    const digits = ['', '0', '7', '00', '07', '10', '1234567', '12345678', '123456789', '9007199254740991'];
    const others = ['1.2.3', '1.5e1', '1E2', '.', '1-', '12e', '1.5x', '0.1 ', 'null', '"1"', '{}'];
    for (let turn = 0; turn < 2; turn++) {
      for (const sign of ['', '-', '+', '--']) {
        for (const whole of digits) {
          same(scanning, event(`,"n":${sign}${whole}`));
          for (const fraction of digits) same(scanning, event(`,"n":${sign}${whole}.${fraction},"c":1`));
        }
        for (const other of others) same(scanning, event(`,"n":${sign}${other},"c":1`));
      }
    }
  });
});

describe('numbers that are not plainly exact', () => {
  it('are asked of the host, and only those', () => {
    const probe = new KernelScan(odd, BYTES_MAX);
    for (const plain of ['0', '-0', '12.5', '-13.4050', '1e3', '4294967295', '9007199254740991e-3']) {
      expect(probe.scanOne(event(`,"n":${plain}`))).toEqual(reference(event(`,"n":${plain}`)));
    }
    const before = probe.hostNumbers;
    expect(before).toBeLessThanOrEqual(1);
    for (const hard of ['5e-324', '1.7976931348623157e308', '0.1234567890123456789', '9007199254740993']) {
      expect(probe.scanOne(event(`,"n":${hard}`))).toEqual(reference(event(`,"n":${hard}`)));
    }
    expect(probe.hostNumbers).toBe(before + 4);
    expect(probe.scanOne(event(',"n":1e999'))).toBeNull();
  });
});

describe('unescaped strings', () => {
  it('take at most as much room as the event, and give it back when it is undecided', () => {
    const free = () => scan.scratchFree();
    scan.scanOne(event(''));
    const all = free();
    const more = `,"constructor":"${'\\u00e9'.repeat(50)}"`;
    expect(scan.scanOne(event(more))).not.toBeNull();
    expect(all - free()).toBe(100);
    expect(scan.scanOne(event(`${more},"c":-1`))).toBeNull();
    expect(free()).toBe(all);
  });

  it('that do not fit are undecided', () => {
    const small = new KernelScan(odd, 400);
    const text = (count: number) => event(`,"constructor":"\\n${'x'.repeat(count)}"`);
    expect(small.scanOne(text(200))).not.toBeNull();
    const placed = small.place([Buffer.from(text(100))]);
    expect([1, 2, 3, 4].map(() => small.isEvent(placed, 0))).toContain(false);
  });
});

describe('shapes', () => {
  it('are forgotten and learned anew when keys never repeat', () => {
    const probe = new KernelScan(epochMs, BYTES_MAX);
    const documents = Array.from({ length: 3_000 }, (_, index) =>
      Buffer.from(
        `{"k${index}":${index},"u":"u${index}","t":${index},"k${index * 7}x":"y","x":{"s":"${index}"}}`,
      ),
    );
    const placed = probe.place(documents);
    documents.forEach((document, index) => {
      const parsed = parseEvent(epochMs, document, -1);
      expect(probe.scan(placed, index)).toEqual(parsed.ok && parsed.values);
    });
  });

  it('tell apart two objects that hold the same names', () => {
    const probe = new KernelScan(twins, BYTES_MAX);
    const y = '{"t":1,"y":{"k":1,"g":{}},"u":"me"}';
    const x = '{"t":1,"x":{"g":{"f":"gone"},"k":1,"g":{}},"u":"me"}';
    for (let turn = 0; turn < 3; turn++) {
      expect(probe.scanOne(y)).not.toBeNull();
      // x.g comes twice, and the second has no f
      expect(probe.scanOne(x)).toBeNull();
    }
  });
});
