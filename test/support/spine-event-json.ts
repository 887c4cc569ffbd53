import type { Random } from '#src/random.js';

/** The event as one of the many texts that mean it: key order, escapes, white space, time zone, keys nobody knows. */
export function eventJson(event: { atMs: number }, random: Random): string {
  const { atMs, ...rest } = event;
  const entries: [string, unknown][] = [['timestamp', timeText(atMs, random)], ...Object.entries(rest)];
  if (random.below(10) === 0)
    entries.push(['extra', { user_id: 'not this', deep: [1, [{ page_url: '{"' }], null] }]);
  if (random.below(4) === 0) shuffle(entries, random);
  const text = JSON.stringify(Object.fromEntries(entries), null, random.below(20) === 0 ? 2 : undefined);
  const form = random.below(10);
  if (form === 0) return text.replace(/[^\0-\x7f]/g, escaped);
  return form === 1 ? text.replaceAll('/', '\\/') : text;
}

/** An unpaired half of a pair never comes alone here: both halves match, one after the other. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function shuffle(list: unknown[], random: Random): void {
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
}

function timeText(atMs: number, random: Random): string {
  const zulu = new Date(atMs).toISOString();
  const local = zulu.slice(0, -1);
  const whole = atMs % 1000 === 0;
  switch (random.below(10)) {
    case 0:
      return local;
    case 1:
      return `${new Date(atMs + 2 * 3_600_000).toISOString().slice(0, -1)}+02:00`;
    case 2:
      return `${new Date(atMs - 5.5 * 3_600_000).toISOString().slice(0, -1)}-05:30`;
    case 3:
      return `${local}${String(random.below(1_000_000)).padStart(6, '0')}Z`;
    case 4:
      return whole ? `${local.slice(0, -4)}Z` : `${local}${random.below(10)}Z`;
    case 5:
      return atMs % 100 === 0 ? `${local.slice(0, -2)}Z` : zulu;
    default:
      return zulu;
  }
}
