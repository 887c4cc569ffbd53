import { createServer, type Socket } from 'node:net';
import { answerBytes } from './answer.js';

/**
 * A process that plays a broker: each request is answered with its own correlation id and the bytes that `answer.ts`
 * makes, as many as the environment says. Its port goes to the parent; it ends with it.
 */

const HEADER_BYTES = 8;
const body = answerBytes(Number(process.env.ANSWER_BYTES));

function serve(socket: Socket): void {
  let received = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const head = Buffer.alloc(HEADER_BYTES);
      head.writeInt32BE(4 + body.length, 0);
      received.copy(head, 4, 8, 12);
      received = received.subarray(4 + received.readInt32BE(0));
      socket.cork();
      socket.write(head);
      socket.write(body);
      socket.uncork();
    }
  });
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
process.on('disconnect', () => process.exit());
