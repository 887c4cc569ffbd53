import { Admin, type API, type Callback, kGetApi, metadataV10, metadataV11 } from '@platformatic/kafka';

/**
 * The library's administrative client, but for one call: it writes Metadata version 11 with a field that only version 10 has, and a
 * broker whose newest is 11 (2.8 to 3.0) closes the connection. Version 10 asks for the same.
 */
export class CorrectedAdmin extends Admin {
  override [kGetApi]<Arguments extends unknown[], Response>(
    name: string,
    callback: Callback<API<Arguments, Response>>,
  ): void {
    super[kGetApi]<Arguments, Response>(name, (error, api) => {
      const isWrong = (api as unknown) === metadataV11.api;
      callback(error, isWrong ? (metadataV10.api as unknown as API<Arguments, Response>) : api);
    });
  }
}
