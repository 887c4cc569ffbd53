package headrace.compare;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.java.typeutils.ValueTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Sessions by hand: one value of state a user, and one timer a session, which is set again when it fires before the gap is
 * over, instead of being moved by every event.
 */
final class TunedSessions extends KeyedProcessFunction<String, FlinkEvent, SessionState> {
  private static final long serialVersionUID = 1;

  private transient ValueState<FlinkSession> state;

  @Override
  public void open(OpenContext context) {
    state = getRuntimeContext()
        .getState(new ValueStateDescriptor<>("session", new ValueTypeInfo<>(FlinkSession.class)));
  }

  @Override
  public void processElement(FlinkEvent event, Context context, Collector<SessionState> out) throws Exception {
    FlinkSession session = state.value();
    if (session != null && event.timeMs - session.endMs > SessionState.GAP_MS) {
      // the next session came before the watermark; its timer serves the new one too
      long timerMs = session.timerMs;
      out.collect(session);
      session = new FlinkSession();
      session.timerMs = timerMs;
    } else if (session == null) {
      session = new FlinkSession();
      session.timerMs = event.timeMs + SessionState.GAP_MS;
      context.timerService().registerEventTimeTimer(session.timerMs);
    }
    session.add(event);
    state.update(session);
  }

  @Override
  public void onTimer(long timeMs, OnTimerContext context, Collector<SessionState> out) throws Exception {
    FlinkSession session = state.value();
    if (session == null) return;
    long dueMs = session.endMs + SessionState.GAP_MS;
    if (dueMs <= timeMs) {
      out.collect(session);
      state.clear();
      return;
    }
    session.timerMs = dueMs;
    context.timerService().registerEventTimeTimer(dueMs);
    state.update(session);
  }
}
