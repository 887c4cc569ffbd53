import type { Finding } from './compare.js';
import { type Layout, onCluster, ttlExpression } from './layout.js';
import type { ClickHouseSchema } from './schema.js';
import { placeOf } from './schema-sql.js';
import { quoteName, quoteTable } from './sql.js';
import type { TableState } from './state.js';

/** How the rows of changes are stored, against how they should be. Rows that are there are stored anew as parts are merged. */
export function compareStorage(schema: ClickHouseSchema, found: TableState): Finding[] {
  return [...compareCodecs(schema, found), ...compareRetention(schema.layout, found, 'session_date')];
}

/** Only where nobody has said anything: a codec of somebody's own stays. */
function compareCodecs({ database, sessions, layout }: ClickHouseSchema, found: TableState): Finding[] {
  const plain = new Set(found.columns.filter(({ codec }) => codec === '').map(({ name }) => name));
  const wanted = sessions.columns.filter(({ name, codec }) => codec !== null && plain.has(name));
  if (wanted.length === 0) return [];
  const changes = wanted.map(({ name, codec }) => `    MODIFY COLUMN ${quoteName(name)} CODEC(${codec})`);
  return [
    {
      action: 'store',
      where: `${database}.${found.name}`,
      what: `${wanted.length} columns have no codec`,
      statement: `ALTER TABLE ${quoteTable(database, placeOf(sessions, layout))}${onCluster(layout)}\n${changes.join(',\n')}`,
      onlyAdds: true,
      beside: true,
    },
  ];
}

/** A retention that the configuration names; one of somebody's own stays where it names none. `date`: the column it goes by. */
export function compareRetention(layout: Layout, found: TableState, date: string): Finding[] {
  const wanted = ttlExpression(layout, date);
  if (wanted === null || bare(found.engineFull).includes(`TTL${bare(wanted)}`)) return [];
  return [
    {
      action: 'store',
      where: `${found.database}.${found.name}`,
      what: `keeps rows by another rule than ${wanted}; what is older goes`,
      statement: `ALTER TABLE ${quoteTable(found.database, found.name)}${onCluster(layout)} MODIFY TTL ${wanted}`,
      onlyAdds: true,
      beside: true,
    },
  ];
}

function bare(sql: string): string {
  return sql.replace(/[\s`]/g, '');
}
