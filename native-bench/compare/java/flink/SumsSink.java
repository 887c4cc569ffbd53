package headrace.compare;

import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Adds sessions up and writes them nowhere. */
final class SumsSink implements Sink<SessionState> {
  private static final long serialVersionUID = 1;

  @Override
  public SinkWriter<SessionState> createWriter(WriterInitContext context) {
    return new Writer();
  }

  private static final class Writer implements SinkWriter<SessionState> {
    private final SessionSums sums = new SessionSums();

    @Override
    public void write(SessionState session, Context context) {
      sums.add(session);
    }

    @Override
    public void flush(boolean endOfInput) {}

    @Override
    public void close() {
      Watched.add(sums);
    }
  }
}
