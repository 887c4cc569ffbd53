export interface Interrupt {
  /** Aborts at the first signal. */
  signal: AbortSignal;
  /** Resolves then, with the process's exit code. */
  code: Promise<number>;
  /** Signals are nobody's business any more. */
  end(): void;
}

/** The first SIGINT, SIGTERM or SIGHUP ends the demo in order, the second at once. */
export function watchSignals(): Interrupt {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const controller = new AbortController();
  let interrupted: (code: number) => void = () => {};
  const code = new Promise<number>((resolve) => {
    interrupted = resolve;
  });
  const onSignal = (name: NodeJS.Signals) => {
    const number = codes[name as keyof typeof codes];
    if (controller.signal.aborted) process.exit(number);
    controller.abort();
    interrupted(number);
  };
  for (const name of Object.keys(codes)) process.on(name, onSignal);
  const end = () => {
    for (const name of Object.keys(codes)) process.off(name, onSignal);
  };
  return { signal: controller.signal, code, end };
}
