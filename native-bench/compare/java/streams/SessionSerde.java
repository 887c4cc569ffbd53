package headrace.compare;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** A session as the store and its changelog have it. */
final class SessionSerde {
  private static final int BYTES = 512;

  private SessionSerde() {}

  static Serde<SessionState> make() {
    return Serdes.serdeFrom((topic, session) -> session == null ? null : bytesOf(session), reader());
  }

  private static Deserializer<SessionState> reader() {
    return (topic, bytes) -> bytes == null ? null : sessionOf(bytes);
  }

  private static byte[] bytesOf(SessionState session) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(BYTES);
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      out.writeLong(session.startMs);
      out.writeLong(session.endMs);
      out.writeInt(session.events);
      for (int count : session.byType) out.writeInt(count);
      out.writeInt(session.pages.size());
      for (String page : session.pages) out.writeUTF(page);
      writeText(session.country, out);
      out.writeLong(session.countryMs);
      writeText(session.device, out);
      out.writeLong(session.deviceMs);
    } catch (IOException never) {
      throw new UncheckedIOException(never);
    }
    return bytes.toByteArray();
  }

  private static SessionState sessionOf(byte[] bytes) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    SessionState session = new SessionState();
    try {
      session.startMs = in.readLong();
      session.endMs = in.readLong();
      session.events = in.readInt();
      for (int type = 0; type < session.byType.length; type++) session.byType[type] = in.readInt();
      for (int left = in.readInt(); left > 0; left--) session.pages.add(in.readUTF());
      session.country = readText(in);
      session.countryMs = in.readLong();
      session.device = readText(in);
      session.deviceMs = in.readLong();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    return session;
  }

  private static void writeText(String text, DataOutputStream out) throws IOException {
    out.writeBoolean(text != null);
    if (text != null) out.writeUTF(text);
  }

  private static String readText(DataInputStream in) throws IOException {
    return in.readBoolean() ? in.readUTF() : null;
  }
}
