import { Readable } from 'node:stream';
import type { CompiledModel } from '../model/types.js';
import { asClickHouseError } from './errors.js';
import { type InsertFile, tokenOf } from './file.js';
import { ClickHouseHosts } from './hosts.js';
import { insertSettings, insertStatement } from './insert-settings.js';
import type { ClickHouseTarget } from './target.js';

/** Inserts files of the table, as they are, over one client a host. */
export class FileInsert {
  readonly #target: ClickHouseTarget;
  readonly #statement: string;
  readonly #hosts: ClickHouseHosts;

  constructor(target: ClickHouseTarget, model: CompiledModel) {
    this.#target = target;
    this.#hosts = new ClickHouseHosts(target);
    this.#statement = insertStatement(target, model);
  }

  /**
   * Resolves when ClickHouse has answered that the file is in: now, or from an earlier time with the same token.
   *
   * @throws HeadraceError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_AUTH, CLICKHOUSE_REFUSED, CONFIG_INVALID
   */
  async insert(
    file: Pick<InsertFile, 'path' | 'attempt'>,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const { database, table } = this.#target;
    const { url, client } = this.#hosts;
    // a view of the bytes: nothing is copied before the socket
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      const { stream } = await client.exec({
        query: this.#statement,
        values: Readable.from([body], { objectMode: false }),
        clickhouse_settings: insertSettings(this.#target, tokenOf(file)),
        abort_signal: signal,
      });
      for await (const _ of stream);
    } catch (error) {
      const known = asClickHouseError(error, { url, database, table, path: file.path });
      // an insert that was given up says nothing of its host
      throw signal.aborted ? known : this.#hosts.failed(known);
    }
  }

  async close(): Promise<void> {
    await this.#hosts.close();
  }
}
