const MOVES = ['drain', 'close', 'error'];

/** Waits for a reader that is slower than we write. False: nobody reads any more, as behind `… | head`. */
export async function stdoutTakesMore(stream: NodeJS.WriteStream = process.stdout): Promise<boolean> {
  if (stream.writableNeedDrain) await movedOn(stream);
  return !stream.destroyed;
}

function movedOn(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of MOVES) stream.off(event, done);
      resolve();
    };
    for (const event of MOVES) stream.on(event, done);
  });
}
