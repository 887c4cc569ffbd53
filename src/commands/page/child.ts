/**
 * The page's process: looks things up in the table and in Kafka for an engine, one request after the other, and ends with it. What is
 * no failure that operators know ends it with its stack on stderr; the engine says so and begins another.
 */
import { outcomeOf } from '../../http/outcome.js';
import type { PageRequest } from './requests.js';

process.once('disconnect', () => process.exit(0));
process.on('message', (message) => void answer(message as PageRequest));

async function answer(request: PageRequest): Promise<void> {
  const outcome = await outcomeOf(() => work(request));
  process.send!(outcome);
}

async function work(request: PageRequest): Promise<unknown> {
  switch (request.kind) {
    case 'versions': {
      const { recentVersions } = await import('./versions.js');
      return await recentVersions(request.lake, request.newest);
    }
    case 'version': {
      const { versionAnswer } = await import('./versions.js');
      return await versionAnswer(request.lake, request.version);
    }
    case 'letters': {
      const { lettersAnswer } = await import('./letters.js');
      return await lettersAnswer(request);
    }
    case 'sessions': {
      const { latestSessions } = await import('./latest-sessions.js');
      return await latestSessions(request);
    }
    case 'events': {
      const { latestEvents } = await import('./latest-events.js');
      return await latestEvents(request);
    }
    case 'replay': {
      const { replayAnswer } = await import('./replay.js');
      return await replayAnswer(request);
    }
  }
}
