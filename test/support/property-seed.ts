/**
 * Settings of a property test: HEADRACE_SEED replays a run. fast-check prints the seed of a failure, with the path to the
 * smallest case that it found.
 */
export function propertySettings<Settings extends object>(settings: Settings): Settings & { seed?: number } {
  const seed = process.env.HEADRACE_SEED;
  return seed === undefined ? settings : { ...settings, seed: Number(seed) };
}
