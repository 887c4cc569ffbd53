package headrace.compare;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * Reads the fields that a session needs from an event, by Jackson's streaming parser: no tree, no object per level, no value
 * made that is not used. The same for every framework that takes bytes.
 */
public final class EventReader {
  static final String[] TYPES = {"page_view", "click", "add_to_cart", "purchase", "search"};
  private static final JsonFactory JSON = new JsonFactory();

  /** Throws IOException for what is no JSON object. */
  void read(byte[] value, ClickEvent event) throws IOException {
    event.user = null;
    event.type = -1;
    event.page = null;
    event.country = null;
    event.device = null;
    try (JsonParser json = JSON.createParser(value)) {
      if (json.nextToken() != JsonToken.START_OBJECT) throw new IOException("an event is no JSON object");
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        JsonToken token = json.nextToken();
        switch (name) {
          case "user_id" -> event.user = json.getText();
          case "timestamp" -> event.timeMs = timeMs(json.getTextCharacters(), json.getTextOffset());
          case "event_type" -> event.type = typeOf(json.getText());
          case "page_url" -> event.page = token == JsonToken.VALUE_NULL ? null : json.getText();
          case "geo" -> event.country = within(json, token, "country");
          case "device" -> event.device = within(json, token, "type");
          default -> json.skipChildren();
        }
      }
    }
  }

  /** The text of one field of a nested object, which is read to its end; null where there is none. */
  private static String within(JsonParser json, JsonToken token, String wanted) throws IOException {
    if (token != JsonToken.START_OBJECT) return null;
    String found = null;
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      JsonToken inner = json.nextToken();
      if (name.equals(wanted)) found = inner == JsonToken.VALUE_NULL ? null : json.getText();
      else json.skipChildren();
    }
    return found;
  }

  private static int typeOf(String name) {
    for (int type = 0; type < TYPES.length; type++) if (TYPES[type].equals(name)) return type;
    return -1;
  }

  /** 2026-01-31T12:00:00.123Z, as the topic's events have it; by hand, since Instant.parse costs a microsecond. */
  private static long timeMs(char[] text, int at) {
    long year = number(text, at, 4);
    long month = number(text, at + 5, 2);
    long day = number(text, at + 8, 2);
    // days from the civil calendar, the year beginning in March
    long shifted = month <= 2 ? year - 1 : year;
    long era = Math.floorDiv(shifted, 400);
    long yearOfEra = shifted - era * 400;
    long dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    long dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
    long days = era * 146_097 + dayOfEra - 719_468;
    long seconds = number(text, at + 11, 2) * 3_600 + number(text, at + 14, 2) * 60 + number(text, at + 17, 2);
    return (days * 86_400 + seconds) * 1_000 + number(text, at + 20, 3);
  }

  private static long number(char[] text, int at, int digits) {
    long value = 0;
    for (int i = at; i < at + digits; i++) value = value * 10 + (text[i] - '0');
    return value;
  }
}
