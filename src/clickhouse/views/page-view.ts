import type { Column, CompiledModel } from '../../model/types.js';
import { quoteName, quoteText } from '../sql.js';
import type { AnalyticView, ViewSum } from './analytic-view.js';

/**
 * Sessions and views by page. A session has many pages, so its row is unfolded; a −row repeats the lists of the old row and takes
 * back what they added, page by page.
 *
 *   of records {t, type, url}   every view with what was done there; first and last are entry and exit
 *   of a list `pages`           every view; the list may be cut short by its limit, so the exit is the column exit_page, as one
 *                               more element behind the list, which counts as no view
 */

/** Null: the model keeps no pages. */
export function pageView(model: CompiledModel): AnalyticView | null {
  const records = model.columns.find(({ op }) => op.op === 'records' && hasMembers(op.members));
  if (records !== undefined) return pagesOfRecords(records);
  const pages = model.columns.find(({ name, type }) => name === 'pages' && type === 'list<string>');
  const exit = model.columns.find(({ name, type }) => name === 'exit_page' && type === 'string');
  return pages === undefined || exit === undefined ? null : pagesOfList(pages, exit);
}

const NAME = 'page_analytics';
const ABOUT = 'sessions and views a day by page';
const PAGE = { name: 'page', type: 'String' } as const;
/** One of a session: the first element with its page. */
const SESSIONS: ViewSum = { name: 'sessions', expression: 'nth = 1' };
const RATIOS = [
  { name: 'views_per_session', expression: 'if(sessions = 0, NULL, round(views / sessions, 2))' },
  { name: 'exit_share', expression: 'if(views = 0, NULL, round(exits / views, 4))' },
];

function pagesOfRecords({ name }: Column): AnalyticView {
  const type = 'Array(Tuple(type String, url String))';
  const ofType = (event: string) => `seen.type = ${quoteText(event)}`;
  return {
    name: NAME,
    about: ABOUT,
    keys: [{ ...PAGE, expression: 'seen.url' }],
    sums: [
      SESSIONS,
      { name: 'views', expression: null },
      { name: 'entries', expression: 'place = 1' },
      { name: 'exits', expression: 'place = length(all_seen)' },
      { name: 'article_views', expression: ofType('article_view') },
      { name: 'article_clicks', expression: ofType('article_click') },
      { name: 'ad_clicks', expression: ofType('ad_click') },
    ],
    unfold: {
      with: `JSONExtract(${quoteName(name)}, ${quoteText(type)}) AS all_seen`,
      arrayJoin:
        'all_seen AS seen, arrayEnumerate(all_seen) AS place, arrayEnumerateUniq(all_seen.url) AS nth',
    },
    exact: [],
    ratios: RATIOS,
  };
}

function pagesOfList(pages: Column, exit: Column): AnalyticView {
  const list = quoteName(pages.name);
  const last = quoteName(exit.name);
  return {
    name: NAME,
    about: ABOUT,
    keys: [{ ...PAGE, expression: 'seen' }],
    sums: [
      SESSIONS,
      { name: 'views', expression: `place <= length(${list})` },
      { name: 'entries', expression: 'place = 1' },
      { name: 'exits', expression: `place > length(${list})` },
    ],
    unfold: {
      with: `arrayConcat(${list}, if(isNull(${last}), [], [assumeNotNull(${last})])) AS all_seen`,
      arrayJoin: 'all_seen AS seen, arrayEnumerate(all_seen) AS place, arrayEnumerateUniq(all_seen) AS nth',
    },
    exact: [],
    ratios: RATIOS,
  };
}

function hasMembers(members: readonly { name: string }[]): boolean {
  return ['type', 'url'].every((wanted) => members.some(({ name }) => name === wanted));
}
