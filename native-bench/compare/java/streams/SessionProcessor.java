package headrace.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.PriorityQueue;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Sessions of one partition by the Processor API. Open ones are in a store; when each may end is in a queue beside it, so that no
 * punctuation has to go through the store: an entry is looked at when it is due, and put back when the session went on.
 */
final class SessionProcessor implements Processor<String, byte[], Void, Void> {
  static final String STORE = "open-sessions";
  private static final long DISORDER_MS = 10_000;
  private static final Duration END_LOOKED_FOR = Duration.ofMillis(200);

  private record Due(long atMs, String user) {}

  private final long eventsTotal;
  /** Counted down by each partition when all events of the topic are read and its open sessions are added up. */
  private final CountDownLatch partitionsLeft;
  private final EventReader reader = new EventReader();
  private final ClickEvent event = new ClickEvent();
  private final SessionSums sums = new SessionSums();
  private final PriorityQueue<Due> due = new PriorityQueue<>((a, b) -> Long.compare(a.atMs, b.atMs));
  private KeyValueStore<String, SessionState> open;
  private long seenMs = Long.MIN_VALUE;
  private boolean isOver;

  SessionProcessor(long eventsTotal, CountDownLatch partitionsLeft) {
    this.eventsTotal = eventsTotal;
    this.partitionsLeft = partitionsLeft;
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    open = context.getStateStore(STORE);
    try (KeyValueIterator<String, SessionState> all = open.all()) {
      while (all.hasNext()) {
        KeyValue<String, SessionState> entry = all.next();
        due.add(new Due(entry.value.endMs + SessionState.GAP_MS, entry.key));
      }
    }
    context.schedule(END_LOOKED_FOR, PunctuationType.WALL_CLOCK_TIME, nowMs -> endIfAllIsRead());
  }

  @Override
  public void process(Record<String, byte[]> record) {
    try {
      reader.read(record.value(), event);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    SessionState session = open.get(event.user);
    boolean isNew = session == null;
    if (!isNew && event.timeMs - session.endMs > SessionState.GAP_MS) {
      sums.add(session);
      // the entry that is in the queue serves the next one
      session = new SessionState();
    } else if (isNew) {
      session = new SessionState();
    }
    session.add(event);
    open.put(event.user, session);
    if (isNew) due.add(new Due(session.endMs + SessionState.GAP_MS, event.user));
    seenMs = Math.max(seenMs, event.timeMs);
    closeDue(seenMs - DISORDER_MS);
    Watched.READ.increment();
  }

  private void closeDue(long nowMs) {
    for (Due next = due.peek(); next != null && next.atMs < nowMs; next = due.peek()) {
      due.poll();
      SessionState session = open.get(next.user);
      long endsMs = session.endMs + SessionState.GAP_MS;
      if (endsMs >= nowMs) {
        due.add(new Due(endsMs, next.user));
        continue;
      }
      sums.add(session);
      open.delete(next.user);
    }
  }

  private void endIfAllIsRead() {
    if (isOver || Watched.READ.sum() < eventsTotal) return;
    isOver = true;
    try (KeyValueIterator<String, SessionState> all = open.all()) {
      while (all.hasNext()) sums.add(all.next().value);
    }
    Watched.add(sums);
    partitionsLeft.countDown();
  }
}
