import type { WireReader } from './reader.js';
import type { WireWriter } from './writer.js';

/**
 * One call of Kafka's protocol in the one version that is spoken here: every broker from 2.8 to 4.x knows it, and so
 * does librdkafka's mock cluster (checked at each connection against what the broker announces).
 */
export interface Api<Request, Response> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** Flexible versions have tagged fields in both headers, behind the correlation id. */
  readonly flexible: boolean;
  encode(writer: WireWriter, request: Request): void;
  /** Throws KAFKA_PROTOCOL when the bytes are not such a response. */
  decode(reader: WireReader): Response;
}

/** Decodes a whole response, header tags included; bytes left over are an error. */
export function decodeResponse<Response>(api: Api<never, Response>, reader: WireReader): Response {
  if (api.flexible) reader.skipTags();
  const response = api.decode(reader);
  // librdkafka's mock cluster ends flexible responses with one set of tagged fields too many
  if (api.flexible && reader.remaining === 1) reader.skipTags();
  reader.end();
  return response;
}
