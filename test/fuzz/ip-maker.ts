import type { Dice } from './dice.js';

/** Addresses as producers write them, and what is nearly one. */
export function makeIp(dice: Dice): string {
  return dice.weighted<() => string>([
    [4, () => ipv4(dice)],
    [4, () => ipv6(dice)],
    [2, () => spoiled(dice, dice.chance(0.5) ? ipv4(dice) : ipv6(dice))],
    [
      1,
      () =>
        dice.pick([
          '',
          '::',
          '::1',
          '::ffff:203.0.113.9',
          '1.2.3',
          '256.1.1.1',
          '01.2.3.4',
          '1:2',
          ':::',
          '1::2::3',
        ]),
    ],
  ])();
}

function ipv4(dice: Dice): string {
  return Array.from({ length: 4 }, () => dice.pick([0, 1, 9, 10, 99, 100, 255, dice.below(256)])).join('.');
}

function ipv6(dice: Dice): string {
  const group = () => {
    const text = dice.pick([0, 0, 1, 0xffff, dice.below(65_536)]).toString(16);
    return dice.chance(0.1) ? text.padStart(4, '0') : dice.chance(0.1) ? text.toUpperCase() : text;
  };
  const groups = (count: number) => Array.from({ length: count }, group);
  const tail = dice.chance(0.2) ? [ipv4(dice)] : [];
  if (dice.chance(0.4)) return [...groups(8 - tail.length * 2), ...tail].join(':');
  const head = dice.below(5);
  return `${groups(head).join(':')}::${[...groups(dice.below(8 - head)), ...tail].join(':')}`;
}

function spoiled(dice: Dice, text: string): string {
  const at = dice.below(text.length + 1);
  const piece = dice.pick(['', ':', '.', '0', 'g', ' ', '%eth0', '::', 'é']);
  return text.slice(0, at) + piece + text.slice(dice.chance(0.5) ? at : at + 1);
}
