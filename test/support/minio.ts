import { minioBinary } from '../../config/setup/minio.mjs';
import { type MinioKeys, type MinioServer, startMinio as start } from '../../native-bench/minio/server.js';

/** The benchmarks' MinIO, with the binary that the set-up keeps in its cache. */

export type { MinioServer };

export function startMinio(keys?: MinioKeys): Promise<MinioServer> {
  return start(minioBinary(), keys);
}
