package headrace.compare;

/** What a session needs of an event. Flink takes it for a POJO: public fields, a constructor without arguments. */
public class ClickEvent {
  public String user;
  public long timeMs;
  /** Its place in EventReader.TYPES; −1: another one. */
  public int type;
  /** Null where the event lacks it, as the next two. */
  public String page;
  public String country;
  public String device;
}
