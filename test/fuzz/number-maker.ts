import type { Dice } from './dice.js';

/** Numbers as JSON spells them: at every edge of a double, of 32 bits and of the grammar. */

const DOUBLES = [
  '0',
  '-0',
  '0.0',
  '-0.0',
  '0e0',
  '0E+5',
  '-0e-5',
  '1',
  '-1',
  '0.1',
  '0.2',
  '0.30000000000000004',
  '1.0',
  '1.50',
  '1e3',
  '1E3',
  '1e+3',
  '1e-3',
  '1.5e-7',
  '123456789',
  '1234567890123456',
  '12345678901234567',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '9007199254740995',
  '18014398509481983',
  '18446744073709551615',
  '18446744073709551616',
  '99999999999999999999999999999999',
  '0.1e1',
  '0.000001',
  '0.0000001',
  '1e22',
  '1e23',
  '8.5e22',
  '1e-22',
  '1e-23',
  '1e308',
  '1.7976931348623157e308',
  '1.7976931348623158e308',
  '1.7976931348623159e308',
  '1e309',
  '-1e309',
  '1e999',
  '-1e999',
  '1e-999',
  '5e-324',
  '4.9e-324',
  '2.5e-324',
  '2.4703282292062328e-324',
  '2.4703282292062327e-324',
  '-1e-400',
  '2.2250738585072014e-308',
  '2.2250738585072011e-308',
  '0.500000000000000166533453693773481063544750213623046875',
  '3.14159265358979323846264338327950288419716939937510582097494459',
  '1e00000000000000000001',
  '1e-00000000000000000001',
  '0e999999999999999999999',
  '1e99999999999999999999',
  '1e-99999999999999999999',
  '0.00000000000000000000000000000000000000001',
  '100000000000000000000000000000000000000000000000000e-50',
  '7.2057594037927933e16',
  '4503599627370496.5',
  '4503599627370497.5',
];

const UINT32S = [
  '0',
  '1',
  '2',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967295',
  '4294967296',
  '-0',
  '-1',
  '1.0',
  '1e3',
  '1.5',
  '4294967295.0',
  '42949672950e-1',
  '4294967295.5',
  '4.294967295e9',
  '4294967296e-1',
  '0.0',
  '0e5',
  '1e9',
  '1e10',
  '1e-1',
  '10e-1',
  '00',
  '01',
];

/** No JSON, though some parsers take it. */
const NOT_NUMBERS = [
  '01',
  '-01',
  '+1',
  '.5',
  '1.',
  '1.e5',
  '-',
  '-.5',
  '1e',
  '1e+',
  '1E-',
  '1e1.5',
  '0x10',
  'NaN',
  'Infinity',
  '-Infinity',
  '1_000',
  '1e5e5',
  '1..2',
  '--1',
  '1-',
  '1a',
  '0b1',
  '1,5',
  '١',
  '1e+-5',
  '00',
  '-00',
  '0123',
  '1\u0000',
];

export function plainNumber(dice: Dice): string {
  return dice.weighted([
    [4, String(dice.below(10))],
    [2, String(dice.below(100_000))],
    [2, (dice.below(100_000) / 100).toString()],
    [1, String(-dice.below(1_000))],
    [1, (dice.float() * 360 - 180).toFixed(dice.between(1, 6))],
  ]);
}

export function oddNumber(dice: Dice): string {
  return dice.weighted([
    [6, dice.pick(DOUBLES)],
    [2, anyDouble(dice)],
    [1, dice.pick(UINT32S)],
    [1, digits(dice, dice.between(1, 40))],
    [1, `${digits(dice, dice.between(1, 25))}.${digits(dice, dice.between(1, 25))}`],
    [1, `${digits(dice, dice.between(1, 20))}e${dice.between(-340, 320)}`],
    [1, `0.${'0'.repeat(dice.below(40))}${digits(dice, 17)}`],
  ]);
}

export function plainUint32(dice: Dice): string {
  return String(dice.chance(0.8) ? dice.below(8) : dice.below(2 ** 32));
}

export function plainInt32(dice: Dice): string {
  const edges = ['-2147483648', '2147483647', '-0', '1.0'];
  return dice.chance(0.8)
    ? String(dice.between(-6, 6))
    : dice.chance(0.3)
      ? dice.pick(edges)
      : String(dice.below(2 ** 32) - 2 ** 31);
}

export function oddUint32(dice: Dice): string {
  return dice.chance(0.8) ? dice.pick(UINT32S) : oddNumber(dice);
}

export function notNumber(dice: Dice): string {
  return dice.pick(NOT_NUMBERS);
}

/** Random bits as a double, spelled exactly, too long, or too short. */
function anyDouble(dice: Dice): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, dice.below(2 ** 32));
  view.setUint32(4, dice.below(2 ** 32));
  const value = view.getFloat64(0);
  if (!Number.isFinite(value)) return '1e400';
  return dice.chance(0.5) ? String(value) : value.toPrecision(dice.between(1, 25));
}

function digits(dice: Dice, length: number): string {
  let text = String(dice.between(1, 9));
  while (text.length < length) text += dice.pick(['0', '9', String(dice.below(10))]);
  return text;
}
