package headrace.compare;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;

/** Sums over finished sessions, by which they are held against another engine's. Not for several threads at once. */
final class SessionSums {
  private long sessions;
  private long events;
  private long durationMs;
  private long pages;
  private long firsts;
  private final long[] byType = new long[EventReader.TYPES.length];
  private final long[] squaresByType = new long[EventReader.TYPES.length];

  void add(SessionState session) {
    sessions++;
    events += session.events;
    durationMs += session.endMs - session.startMs;
    pages += session.pages.size();
    firsts += checksum(session.country, session.device);
    for (int type = 0; type < byType.length; type++) {
      long count = session.byType[type];
      byType[type] += count;
      squaresByType[type] += count * count;
    }
  }

  void addAll(SessionSums other) {
    sessions += other.sessions;
    events += other.events;
    durationMs += other.durationMs;
    pages += other.pages;
    firsts += other.firsts;
    for (int type = 0; type < byType.length; type++) {
      byType[type] += other.byType[type];
      squaresByType[type] += other.squaresByType[type];
    }
  }

  private static long checksum(String country, String device) {
    String text = (country == null ? "" : country) + '|' + (device == null ? "" : device);
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return crc.getValue();
  }

  String toJson() {
    return "{\"sessions\":" + sessions + ",\"events\":" + events + ",\"durationMs\":" + durationMs
        + ",\"pages\":" + pages + ",\"firsts\":" + firsts + ",\"byType\":" + Arrays.toString(byType)
        + ",\"squaresByType\":" + Arrays.toString(squaresByType) + "}";
  }
}
