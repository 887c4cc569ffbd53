/** Every command line in here is parsed by a test. */

export const TAP_EXAMPLES = `
Examples:
  headrace tap events --config engine.yaml              events of the source topic, as they come
  headrace tap sessions --config engine.yaml            rows, as they are committed
  headrace tap dead-letters --config engine.yaml        what could not be counted, and why
`;

export const EVENTS_EXAMPLES = `
Examples:
  headrace tap events --config engine.yaml
      From now on, 20 a second at most: --rate changes that. With what the model would say of each; Ctrl-C ends it.

  headrace tap events --config engine.yaml --filter event_type=purchase --filter geo.country!=DE --limit 5
      The next five that are so. A field is a path of keys; partition and offset are the record's.

  headrace tap events --config engine.yaml --from earliest --sample 0.1% --json
      For a script: of all that the topic has about one in a thousand, a JSON object a line.

The group hears nothing of it, and nothing is committed; the topic is read whole, whatever is shown of it. Values that the model
masks are shown as it keeps them; what may hold such a value in another place (keys, bytes that are no event) is hidden then.
Exit codes: 0 done, 64 wrong flag, 75 try again later, 78 wrong setting.
`;

export const SESSIONS_EXAMPLES = `
Examples:
  headrace tap sessions --lake ./lake --columns user_id,total_events,sign
      Rows of each version that an engine commits from now on: one with sign -1 takes back the one that it repeats.

  headrace tap sessions --config engine.yaml --filter country=DE --filter 'total_events >= 5' --limit 10
      All conditions have to hold, as those of headrace lake read --where.

  headrace tap sessions --lake ./lake --from earliest --sample 1% --json
      For a script: from the oldest version that the log still has.

Files that a vacuum took since are left out and counted; headrace lake read has their rows. Versions that the log's clean-up took
before they were read are named and passed over; when the table is removed or made again it ends.
Exit codes: 0 done, 64 wrong flag, 70 the log can't be read, 75 try again later, 78 no such table.
`;

export const DEAD_LETTERS_EXAMPLES = `
Examples:
  headrace tap dead-letters --config engine.yaml --filter reason=missing_field
      Letters as they are committed. Fields are those of the event, or partition, offset, reason.

  headrace tap dead-letters --config engine.yaml --from earliest --limit 100 --json
      For a script. headrace dlq list counts them, dlq show has one whole.

Values that the model masks are shown as it keeps them; bytes that are no event, which may hold such a value, are hidden then.
Versions that the log's clean-up took before they were read are named and passed over.
Exit codes: 0 done, 64 wrong flag, 70 the log can't be read, 75 try again later, 78 wrong setting or no such table.
`;
