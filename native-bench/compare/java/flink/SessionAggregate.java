package headrace.compare;

import org.apache.flink.api.common.functions.AggregateFunction;

/** What Flink's own session window does with the events of a session. */
final class SessionAggregate implements AggregateFunction<FlinkEvent, SessionState, SessionState> {
  private static final long serialVersionUID = 1;

  @Override
  public SessionState createAccumulator() {
    return new SessionState();
  }

  @Override
  public SessionState add(FlinkEvent event, SessionState session) {
    session.add(event);
    return session;
  }

  @Override
  public SessionState getResult(SessionState session) {
    return session;
  }

  @Override
  public SessionState merge(SessionState one, SessionState other) {
    one.merge(other);
    return one;
  }
}
