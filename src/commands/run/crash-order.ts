import { suggest } from '../../config/suggest.js';
import { CRASH_POINTS, crashWanted, parseCrashOrder } from '../../crash-points.js';
import { HeadraceError } from '../../errors.js';
import type { Log } from '../../telemetry/log.js';

/** Says so when this engine is to kill itself at a point of the protocol. Throws CONFIG_INVALID when there is no such point. */
export function announceCrash(log: Log, wanted = crashWanted): void {
  if (wanted === undefined) return;
  if (parseCrashOrder(wanted) === null) throw unknownPoint(wanted);
  log.warn(
    { crash_at: wanted },
    'HEADRACE_CRASH_AT is set: this engine kills itself at that point; unset it unless this is a test',
  );
}

function unknownPoint(wanted: string): HeadraceError {
  const [name = ''] = wanted.split(':');
  const meant = suggest(name, CRASH_POINTS);
  const hint = meant === undefined ? 'unset it, or name one of them' : `did you mean ${meant}?`;
  return new HeadraceError('CONFIG_INVALID', `no crash point: ${JSON.stringify(wanted)}`, {
    where: { path: 'HEADRACE_CRASH_AT' },
    remedy: `${hint} They are ${CRASH_POINTS.join(', ')}; with :n for the n-th time`,
  });
}
