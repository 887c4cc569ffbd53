package headrace.compare;

import java.util.HashSet;
import java.util.Set;

/** A session as it stands. Public, and with a constructor without arguments, for Flink. */
public class SessionState {
  static final long GAP_MS = 30 * 60_000L;

  public long startMs = Long.MAX_VALUE;
  public long endMs = Long.MIN_VALUE;
  public int events;
  public int[] byType = new int[EventReader.TYPES.length];
  public Set<String> pages = new HashSet<>();
  /** Of the earliest event that has one; null: none has. */
  public String country;
  public long countryMs = Long.MAX_VALUE;
  public String device;
  public long deviceMs = Long.MAX_VALUE;

  void add(ClickEvent event) {
    startMs = Math.min(startMs, event.timeMs);
    endMs = Math.max(endMs, event.timeMs);
    events++;
    if (event.type >= 0) byType[event.type]++;
    if (event.page != null) pages.add(event.page);
    if (event.country != null && event.timeMs < countryMs) {
      country = event.country;
      countryMs = event.timeMs;
    }
    if (event.device != null && event.timeMs < deviceMs) {
      device = event.device;
      deviceMs = event.timeMs;
    }
  }

  void merge(SessionState other) {
    startMs = Math.min(startMs, other.startMs);
    endMs = Math.max(endMs, other.endMs);
    events += other.events;
    for (int type = 0; type < byType.length; type++) byType[type] += other.byType[type];
    pages.addAll(other.pages);
    if (other.countryMs < countryMs) {
      country = other.country;
      countryMs = other.countryMs;
    }
    if (other.deviceMs < deviceMs) {
      device = other.device;
      deviceMs = other.deviceMs;
    }
  }
}
