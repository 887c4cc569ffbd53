import type { CompiledModel } from '#src/model/types.js';
import type { Dice } from './dice.js';

/** Event times as JSON values of a model's format. */

export const TIME_MS_MAX = Date.UTC(2263, 0, 1) - 1;

type Format = CompiledModel['timeFormat'];

/** As most producers write it. Times outside of what ISO 8601 can say are moved into it. */
export function plainTime(dice: Dice, timeMs: number, format: Format): string {
  if (format === 'epoch_ms') return String(timeMs);
  if (format === 'epoch_s') return seconds(timeMs);
  const text = iso(timeMs);
  return JSON.stringify(timeMs % 1_000 === 0 && dice.chance(0.3) ? text.replace('.000', '') : text);
}

/** Another spelling of the same time, or of one less than a millisecond later. */
export function oddTime(dice: Dice, timeMs: number, format: Format): string {
  if (format === 'epoch_ms') {
    return dice.pick([
      `${timeMs}.0`,
      `${timeMs}.999`,
      `${timeMs}.5`,
      `${timeMs}e0`,
      `${timeMs}0e-1`,
      `${timeMs}.00000000000000001`,
      timeMs === 0 ? '-0' : String(timeMs),
    ]);
  }
  if (format === 'epoch_s') {
    return dice.pick([
      (timeMs / 1_000).toFixed(3),
      (timeMs / 1_000).toFixed(9),
      `${timeMs}e-3`,
      `${timeMs}E-03`,
      (timeMs / 1_000).toFixed(4),
      `${seconds(timeMs)}${timeMs % 1_000 === 0 ? '.000999' : '9'}`,
      (timeMs / 1_000).toExponential(),
    ]);
  }
  return `"${oddIso(dice, timeMs)}"`;
}

const ISO_ODD = [
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2024-02-30T00:00:00Z',
  '2100-02-29T00:00:00Z',
  '2000-02-29T23:59:59.999Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-32T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-01-01T23:59:60Z',
  '2026-01-01T00:00Z',
  '2026-01-01',
  '2026-01-01 00:00:00Z',
  '2026-01-01t00:00:00Z',
  '2026-01-01T00:00:00z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00,5Z',
  '2026-01-01T00:00:00.1234567890Z',
  '2026-01-01T00:00:00.123456789Z',
  '2026-01-01T00:00:00+0100',
  '2026-01-01T00:00:00+01',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+23:59',
  '2026-01-01T00:00:00-23:59',
  '2026-01-01T00:00:00+00:60',
  '2026-01-01T00:00:00-00:00',
  '1970-01-01T00:00:00Z',
  '1970-01-01T00:00:00+00:01',
  '1969-12-31T23:59:59-00:01',
  '1969-12-31T23:59:59.999Z',
  '1968-12-31T23:59:59-23:59',
  '2262-12-31T23:59:59.999Z',
  '2262-12-31T23:59:59.9999Z',
  '2263-01-01T00:00:00Z',
  '2263-01-01T00:00:00+00:01',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '+2026-01-01T00:00:00Z',
  '-2026-01-01T00:00:00Z',
  '2026-1-1T0:0:0Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z ',
  '2026-01-01T00:00:00ZZ',
  '2026-01-01T00:00:00Z+01:00',
  '2026-01-01T00:00:00.5',
  '2026-01-01T00:00:00',
  '٢٠٢٦-01-01T00:00:00Z',
  '2026-01-01T00:00:0\\u0030Z',
  '2026\\u002d01-01T00:00:00Z',
  '',
  '1700000000000',
  '2026-W01-1T00:00:00Z',
  '2026-01-01T00:00:00.000+14:00',
  '2026-01-01T0/:00:00Z',
  '2026-01-01T0::00:00Z',
  '202/-01-01T00:00:00Z',
  '2026-01-01T00:00:00\\n',
];
const NUMBERS_ODD = [
  '-1',
  '-0.5',
  '-0',
  '0',
  '0.5',
  '1e999',
  '9246182399999',
  '9246182400000',
  '9246182399.999',
  '9246182399.9999',
  '9246182400',
  '1e18',
  '1e15',
  '9007199254740993',
  '0.0005',
  '0.0009995',
  '0.001',
  '1e-7',
  '-1e-7',
  '-4e-7',
  '-6e-7',
  '"1700000000000"',
  '8.64e15',
  '8640000000000001',
  '1e300',
];

/** A value that may or may not be a time. */
export function wildTime(dice: Dice, format: Format): string {
  if (format !== 'iso8601' || dice.chance(0.1)) return dice.pick(NUMBERS_ODD);
  return `"${dice.chance(0.5) ? dice.pick(ISO_ODD) : anyIso(dice)}"`;
}

/** Around the ends of months, days and years, inside and outside. */
function anyIso(dice: Dice): string {
  const year = dice.pick([1969, 1970, 2000, 2023, 2024, 2100, 2262, 2263, dice.between(1960, 2270)]);
  const month = dice.chance(0.1) ? dice.pick([0, 13, 19, 99]) : dice.between(1, 12);
  const day = dice.pick([0, 1, 9, 10, 28, 29, 30, 31, 32, dice.between(1, 31)]);
  const time = [dice.pick([0, 9, 10, 19, 20, 23, 24]), dice.pick([0, 59, 60]), dice.pick([0, 59, 60])];
  const [hour, minute, second] = dice.chance(0.8) ? [23, 59, 59] : time;
  return `${year}-${two(month)}-${two(day)}T${two(hour!)}:${two(minute!)}:${two(second!)}${dice.pick(['', 'Z', '.999Z'])}`;
}

function oddIso(dice: Dice, timeMs: number): string {
  const minutes = dice.pick([0, 1, 59, 60, 330, 765, 1_439, -1, -60, -570, -1_439]);
  const local = timeMs + minutes * 60_000;
  if (local < Date.UTC(1969, 0, 1) || local > Date.UTC(2263, 0, 2)) return iso(timeMs);
  const offset = Math.abs(minutes);
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(offset / 60))}:${two(offset % 60)}`;
  const [seconds, fraction] = iso(local).slice(0, -1).split('.') as [string, string];
  const more = dice.pick(['', '', '0', '9', '999', '999999', '000000']);
  const cut = fraction.replace(/0+$/, '');
  const digits = dice.pick([fraction + more, cut]);
  return `${seconds}${digits === '' ? '' : `.${digits}`}${minutes === 0 ? dice.pick(['Z', '', '+00:00', '-00:00']) : zone}`;
}

function iso(timeMs: number): string {
  return new Date(Math.min(TIME_MS_MAX, Math.max(timeMs, Date.UTC(1969, 0, 1)))).toISOString();
}

function seconds(timeMs: number): string {
  const whole = Math.floor(timeMs / 1_000);
  const rest = timeMs - whole * 1_000;
  if (timeMs < 0) return String(timeMs / 1_000);
  return rest === 0 ? String(whole) : `${whole}.${String(rest).padStart(3, '0').replace(/0+$/, '')}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
