const SHOWN_MS = 1_000;

/** Shows a count that grows at most once a second, with the time since it was made. */
export function everySecond(show: (events: number, elapsedMs: number) => void): (events: number) => void {
  const beganMs = performance.now();
  let shownMs = beganMs;
  return (events) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < SHOWN_MS) return;
    shownMs = nowMs;
    show(events, nowMs - beganMs);
  };
}
