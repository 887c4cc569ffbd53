import type { Api } from './api.js';

export interface DescribeConfigsRequest {
  topic: string;
  /** Settings by name. */
  settings: readonly string[];
}

export interface DescribeConfigsResponse {
  throttleTimeMs: number;
  errorCode: number;
  /** By name; null: not set, or not to be seen. */
  settings: Map<string, string | null>;
}

const RESOURCE_TOPIC = 2;

/** DescribeConfigs v1, of one topic; not among what every connection is checked for. */
export const describeConfigsApi: Api<DescribeConfigsRequest, DescribeConfigsResponse> = {
  name: 'DescribeConfigs',
  key: 32,
  version: 1,
  flexible: false,
  encode: (writer, { topic, settings }) => {
    writer.array([topic], (w, name) => {
      w.int8(RESOURCE_TOPIC)
        .string(name)
        .array(settings, (each, setting) => each.string(setting));
    });
    writer.boolean(false); // include_synonyms
  },
  decode: (reader) => {
    const throttleTimeMs = reader.int32();
    const settings = new Map<string, string | null>();
    let errorCode = 0;
    reader.array(11, () => {
      errorCode = reader.int16();
      reader.nullableString(); // error_message
      reader.int8();
      reader.string(); // the topic
      reader.array(11, () => {
        settings.set(reader.string(), reader.nullableString());
        reader.skip(3); // read_only, config_source, is_sensitive
        reader.array(5, () => {
          reader.string();
          reader.nullableString();
          reader.int8();
        });
      });
    });
    return { throttleTimeMs, errorCode, settings };
  },
};
