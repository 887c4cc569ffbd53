/**
 * Loaded by `node --import` into a child process with an IPC channel: an orderly stop when the parent is gone, however
 * it went. Without it a killed demo would leave an engine behind that asks for its brokers for ever.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel !== undefined) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // listening alone must not keep the process alive
  process.channel.unref();
}
