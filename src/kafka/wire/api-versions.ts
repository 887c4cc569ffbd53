import type { Api } from './api.js';

export interface ApiRange {
  key: number;
  versionMin: number;
  versionMax: number;
}

export interface ApiVersionsResponse {
  errorCode: number;
  ranges: ApiRange[];
}

/** What a broker speaks. A broker that refuses this version answers in version 0's layout: only the code is read then. */
export const apiVersionsApi: Api<null, ApiVersionsResponse> = {
  name: 'ApiVersions',
  key: 18,
  version: 2,
  flexible: false,
  encode: () => undefined,
  decode: (reader) => {
    const errorCode = reader.int16();
    if (errorCode !== 0) {
      reader.skip(reader.remaining);
      return { errorCode, ranges: [] };
    }
    const ranges = reader.array(6, () => ({
      key: reader.int16(),
      versionMin: reader.int16(),
      versionMax: reader.int16(),
    }));
    reader.int32(); // throttle_time_ms: this call is made once a connection
    return { errorCode, ranges };
  },
};
