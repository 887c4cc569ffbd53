import { connect } from 'node:net';

/** What came back on a connection that was sent these bytes, until it ended; or until `withinMs` have passed. */
export async function rawExchange(
  url: string,
  bytes: string | Buffer,
  withinMs = 20_000,
): Promise<{ answer: string; ended: boolean }> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''));
    const finish = (ended: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answer, ended });
    };
    const timer = setTimeout(() => finish(false), withinMs);
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', () => finish(true));
    socket.once('close', () => finish(true));
    socket.write(bytes);
  });
}

/** The status of an answer, or null: there was none. */
export function statusOf(answer: string): number | null {
  const match = /^HTTP\/1\.1 (\d{3})/.exec(answer);
  return match === null ? null : Number(match[1]);
}
