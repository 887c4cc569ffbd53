const MOVES = ['drain', 'close', 'error'];

/** Streams that nobody reads any more. It is said once, by an error: Node's stdout is never destroyed. */
const deserted = new WeakSet<NodeJS.WriteStream>();
const watched = new WeakSet<NodeJS.WriteStream>();

/** Asked behind each write. Waits for a reader that is slower than we write. False: nobody reads any more, as behind `… | head`. */
export async function stdoutTakesMore(stream: NodeJS.WriteStream = process.stdout): Promise<boolean> {
  if (!watched.has(stream)) {
    watched.add(stream);
    stream.on('error', () => deserted.add(stream));
  }
  if (stream.writableNeedDrain) await movedOn(stream);
  return !deserted.has(stream);
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
