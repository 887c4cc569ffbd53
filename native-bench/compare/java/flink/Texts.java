package headrace.compare;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.StringValue;

/** Texts as Flink writes them itself; null is one of them. */
final class Texts {
  private Texts() {}

  static void write(String text, DataOutputView out) throws IOException {
    StringValue.writeString(text, out);
  }

  static String read(DataInputView in) throws IOException {
    return StringValue.readString(in);
  }
}
