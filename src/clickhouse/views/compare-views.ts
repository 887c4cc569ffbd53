import type { Finding } from '../compare.js';
import { compareRetention } from '../compare-storage.js';
import { holdStatement, releaseStatement } from '../hold-statement.js';
import { distributedOver, onCluster, storedName } from '../layout.js';
import { quoteTable } from '../sql.js';
import type { ServerState, TableState } from '../state.js';
import { type AnalyticView, DAY, EXACT, FEED, SUMS } from './analytic-view.js';
import {
  commentOf,
  exactView,
  feedView,
  fillSums,
  isOurs,
  peopleView,
  sumsTable,
  type ViewPart,
  type ViewPlace,
} from './view-sql.js';

/**
 * The analytic views that are there against those that there should be.
 *
 * A feed adds up what is inserted while it is there. So a feed that is missing, or of an older definition, means that its sums are to
 * be filled from the table, and that nothing may be inserted meanwhile: the table is held (see hold.ts). The feed comes
 * last: where it is there as it should be, the sums are whole, whatever became of the run that made it.
 */

export interface WantedView {
  view: AnalyticView;
  place: ViewPlace;
}

export function compareViews(wanted: readonly WantedView[], state: ServerState): Finding[] {
  const foreign = wanted.flatMap((each) => foreignParts(each, state));
  if (foreign.length > 0) return foreign;
  const broken = wanted.filter((each) => !isWhole(each, state));
  return [...refill(broken, state), ...wanted.flatMap((each) => shownParts(each, state))];
}

/** Every view's sums anew, whatever they are: after rows were taken out of the table by hand. */
export function refillAll(wanted: readonly WantedView[], state: ServerState): Finding[] {
  const foreign = wanted.flatMap((each) => foreignParts(each, state));
  return foreign.length > 0 ? foreign : refill(wanted, state);
}

const PARTS: readonly (readonly [ViewPart, string])[] = [
  ['sums', SUMS],
  ['feed', FEED],
  ['exact', EXACT],
  ['people', ''],
];

function foreignParts({ view, place }: WantedView, state: ServerState): Finding[] {
  return PARTS.flatMap(([, suffix]) => {
    const found = state.tables.get(storedPart(view, place, suffix));
    if (found === undefined || isOurs(found.comment)) return [];
    const away = quoteTable(found.database, `${found.name}_before`);
    return [
      {
        action: 'change' as const,
        where: `${found.database}.${found.name}`,
        what: `is somebody's own, and an analytic view has its name: move it away, or leave ${view.name} out of clickhouse.views`,
        statement: `RENAME TABLE ${quoteTable(found.database, found.name)} TO ${away}`,
        onlyAdds: false,
        beside: true as const,
      },
    ];
  });
}

/** Sums and feed as they should be, so that the sums are those of the table. */
function isWhole({ view, place }: WantedView, state: ServerState): boolean {
  const isAs = (part: ViewPart, suffix: string) =>
    state.tables.get(storedPart(view, place, suffix))?.comment === commentOf(view, place, part);
  return isAs('sums', SUMS) && isAs('feed', FEED);
}

function refill(broken: readonly WantedView[], state: ServerState): Finding[] {
  const [first] = broken;
  if (first === undefined) return [];
  const { place } = first;
  const step = (action: 'hold' | 'release', what: string, statement: string): Finding => ({
    action,
    where: `${place.database}.${place.table}`,
    what,
    statement,
    onlyAdds: true,
    beside: true,
  });
  return [
    // a table that this run makes, too: an engine may be waiting for it
    step(
      'hold',
      'takes no rows while sums are filled from it; engines wait, the lake goes on',
      holdStatement(place),
    ),
    ...broken.flatMap((each) => refillOne(each, state)),
    step('release', 'takes rows again', releaseStatement(place)),
  ];
}

function refillOne({ view, place }: WantedView, state: ServerState): Finding[] {
  const { database, layout } = place;
  const step = (action: Finding['action'], suffix: string, what: string, statement: string): Finding => ({
    action,
    where: `${database}.${view.name}${suffix}`,
    what,
    statement,
    onlyAdds: true,
    beside: true,
  });
  const old = (suffix: string) => state.tables.get(storedPart(view, place, suffix));
  const drop = (suffix: string, kind: 'VIEW' | 'TABLE') => {
    const name = quoteTable(database, storedPart(view, place, suffix));
    return step(
      'replace view',
      suffix,
      'is derived from the table, and made anew',
      `DROP ${kind} IF EXISTS ${name}${onCluster(layout)} SYNC`,
    );
  };
  return [
    ...(old(FEED) === undefined ? [] : [drop(FEED, 'VIEW')]),
    ...(old(SUMS) === undefined ? [] : [drop(SUMS, 'TABLE')]),
    step('create', SUMS, 'there is no such table', sumsTable(view, place)),
    ...(layout.kind === 'cluster'
      ? [
          step(
            'create',
            SUMS,
            'over all shards',
            distributedOver(layout, database, `${view.name}${SUMS}`, []),
          ),
        ]
      : []),
    step('fill', SUMS, 'from the rows that are in the table', fillSums(view, place)),
    step('create', FEED, 'there is no such view', feedView(view, place)),
  ];
}

/** What holds nothing of its own. */
function shownParts({ view, place }: WantedView, state: ServerState): Finding[] {
  const { database, layout } = place;
  const sums = state.tables.get(storedPart(view, place, SUMS));
  const isKept = sums !== undefined && isWhole({ view, place }, state);
  const findings: Finding[] = isKept ? compareRetention(layout, sums, DAY) : [];
  const look = (part: ViewPart, suffix: string, statement: string, drops: boolean) => {
    const found: TableState | undefined = state.tables.get(`${view.name}${suffix}`);
    if (found?.comment === commentOf(view, place, part)) return;
    const where = `${database}.${view.name}${suffix}`;
    if (found !== undefined && drops) {
      const name = quoteTable(database, found.name);
      findings.push({
        action: 'replace view',
        where,
        what: 'is of an older definition',
        statement: `DROP VIEW IF EXISTS ${name}${onCluster(layout)} SYNC`,
        onlyAdds: true,
        beside: true,
      });
    }
    const what = found === undefined ? 'there is no such view' : 'is of an older definition';
    findings.push({
      action: found === undefined ? 'create' : 'replace view',
      where,
      what,
      statement,
      onlyAdds: true,
      beside: true,
    });
  };
  if (view.exact.length > 0 && place.exactEveryMs !== null)
    look('exact', EXACT, exactView(view, place), true);
  look('people', '', peopleView(view, place), false);
  return findings;
}

function storedPart({ name }: AnalyticView, { layout }: ViewPlace, suffix: string): string {
  return suffix === SUMS ? storedName(layout, `${name}${suffix}`) : `${name}${suffix}`;
}
