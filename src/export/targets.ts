import { exportClickHouseSql } from './clickhouse-sql.js';
import { exportFlinkSql } from './flink-sql.js';
import { exportSpark } from './spark.js';
import type { ExportModel } from './types.js';

/** The engines that a model can be exported to, by the name on the command line. */
export const EXPORT_TARGETS: Readonly<Record<string, ExportModel>> = {
  'flink-sql': exportFlinkSql,
  spark: exportSpark,
  'clickhouse-sql': exportClickHouseSql,
};
