import { s3LocationOf } from '../../config/lake-path.js';
import type { LakeConfig } from '../../config/types.js';
import { LocalStore } from './local.js';
import type { S3StoreOptions } from './s3.js';
import type { ObjectStore } from './store.js';

/** The one way to a table's bytes, wherever they lie. */
export interface OpenStoreOptions extends S3StoreOptions {
  /** For an engine: a local folder is made, and cleared of what dead writers left behind. */
  prepares?: boolean;
}

/**
 * The store at exactly this place (`tablePlace` says which that is). Nothing is asked of a bucket yet.
 * @throws HeadraceError of `prepares`: LAKE_UNWRITABLE, LAKE_IO
 */
export async function openStore(place: LakeConfig, options: OpenStoreOptions = {}): Promise<ObjectStore> {
  if (s3LocationOf(place.path) === null) {
    return options.prepares === true ? await LocalStore.open(place.path) : new LocalStore(place.path);
  }
  // hundreds of modules, for tables in buckets only
  const { S3Store } = await import('./s3.js');
  return new S3Store(place, options);
}
