package headrace.compare;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;

/** An event that writes itself into Flink's buffers, which is quicker than what Flink finds out about a POJO. */
public final class FlinkEvent extends ClickEvent implements CopyableValue<FlinkEvent> {
  private static final long serialVersionUID = 1;

  @Override
  public int getBinaryLength() {
    return -1;
  }

  @Override
  public void write(DataOutputView out) throws IOException {
    Texts.write(user, out);
    out.writeLong(timeMs);
    out.writeByte(type);
    Texts.write(page, out);
    Texts.write(country, out);
    Texts.write(device, out);
  }

  @Override
  public void read(DataInputView in) throws IOException {
    user = Texts.read(in);
    timeMs = in.readLong();
    type = in.readByte();
    page = Texts.read(in);
    country = Texts.read(in);
    device = Texts.read(in);
  }

  @Override
  public void copyTo(FlinkEvent target) {
    target.user = user;
    target.timeMs = timeMs;
    target.type = type;
    target.page = page;
    target.country = country;
    target.device = device;
  }

  @Override
  public FlinkEvent copy() {
    FlinkEvent copy = new FlinkEvent();
    copyTo(copy);
    return copy;
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    FlinkEvent event = new FlinkEvent();
    event.read(source);
    event.write(target);
  }
}
