package headrace.compare;

import java.io.IOException;
import java.util.HashSet;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;

/** A session that writes itself into Flink's state. */
public final class FlinkSession extends SessionState implements CopyableValue<FlinkSession> {
  private static final long serialVersionUID = 1;

  /** When the timer is due that is set for it; a session has one at a time. */
  public long timerMs = Long.MIN_VALUE;

  @Override
  public int getBinaryLength() {
    return -1;
  }

  @Override
  public void write(DataOutputView out) throws IOException {
    out.writeLong(timerMs);
    out.writeLong(startMs);
    out.writeLong(endMs);
    out.writeInt(events);
    for (int count : byType) out.writeInt(count);
    out.writeInt(pages.size());
    for (String page : pages) Texts.write(page, out);
    Texts.write(country, out);
    out.writeLong(countryMs);
    Texts.write(device, out);
    out.writeLong(deviceMs);
  }

  @Override
  public void read(DataInputView in) throws IOException {
    timerMs = in.readLong();
    startMs = in.readLong();
    endMs = in.readLong();
    events = in.readInt();
    for (int type = 0; type < byType.length; type++) byType[type] = in.readInt();
    pages = new HashSet<>();
    for (int left = in.readInt(); left > 0; left--) pages.add(Texts.read(in));
    country = Texts.read(in);
    countryMs = in.readLong();
    device = Texts.read(in);
    deviceMs = in.readLong();
  }

  @Override
  public void copyTo(FlinkSession target) {
    target.timerMs = timerMs;
    target.startMs = startMs;
    target.endMs = endMs;
    target.events = events;
    target.byType = byType.clone();
    target.pages = new HashSet<>(pages);
    target.country = country;
    target.countryMs = countryMs;
    target.device = device;
    target.deviceMs = deviceMs;
  }

  @Override
  public FlinkSession copy() {
    FlinkSession copy = new FlinkSession();
    copyTo(copy);
    return copy;
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    FlinkSession session = new FlinkSession();
    session.read(source);
    session.write(target);
  }
}
