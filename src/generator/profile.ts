import { type Random, seededRandom } from '../random.js';
import { DEVICES, type Device, PLACES, type Place } from './catalog.js';
import { anyOf } from './weighted.js';

/** What stays the same about a user: it follows from the seed and the user's number, so nothing need be kept. */
export interface Profile {
  userId: string;
  place: Place;
  device: Device;
  ipAddress: string;
  /** This user's producer writes non-ASCII text as \uXXXX. */
  escapes: boolean;
}

export function profileOf(seed: number, user: number): Profile {
  const random = seededRandom(Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(user + 1, 0x85ebca6b));
  return {
    userId: `user-${String(user).padStart(6, '0')}`,
    place: anyOf(random, PLACES.draw(random)),
    device: DEVICES.draw(random),
    ipAddress: ipAddress(random),
    escapes: random.below(20) === 0,
  };
}

/** From the ranges set aside for documentation and benchmarks, so that nobody's address is meant. */
function ipAddress(random: Random): string {
  return `198.${18 + random.below(2)}.${random.below(256)}.${1 + random.below(254)}`;
}
