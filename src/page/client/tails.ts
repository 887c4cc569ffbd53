import { fill } from './table.js';
import type { TailAnswer, TailRow } from './tail-answers.js';
import { whole } from './text.js';

/** Sessions and events as they come, from when somebody asks for it until they have seen enough; each with a filter of its own. */

const ROWS_MAX = 100;
const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

export function followable(what: 'sessions' | 'events'): void {
  let source: EventSource | null = null;
  let columns: string[] = [];
  let rows: TailRow[] = [];
  let [looked, passed] = [0, 0];
  const button = byId<HTMLButtonElement>(`tail-${what}-follow`);
  const filter = byId<HTMLInputElement>(`tail-${what}-filter`);
  const say = (text: string) => {
    byId(`tail-${what}-said`).textContent = text;
  };

  const show = (answer: TailAnswer) => {
    if (answer.columns.length > 0) columns = answer.columns;
    rows = [...answer.rows, ...rows].slice(0, ROWS_MAX);
    looked += answer.looked;
    passed += answer.passed;
    const more = passed > 0 ? `, ${whole(passed)} were too many to be looked at` : '';
    say([`${whole(looked)} came${more}.`, ...(answer.trouble === null ? [] : [answer.trouble])].join(' '));
    fill<TailRow>(
      `tail-${what}-table`,
      columns.map((head, at) => ({
        head,
        text: (row: TailRow) => row[at] ?? '–',
        value: (row: TailRow) => row[at] ?? null,
        isText: true,
      })),
      rows,
    );
  };

  const stop = (said: string) => {
    source?.close();
    source = null;
    button.textContent = 'Follow';
    button.setAttribute('aria-pressed', 'false');
    say(said);
  };

  const begin = () => {
    const query = new URLSearchParams({ filter: filter.value }).toString();
    source = new EventSource(`/api/tail/${what}?${query}`);
    button.textContent = 'Stop';
    button.setAttribute('aria-pressed', 'true');
    say('waiting for what comes …');
    // what is sent first is all that came lately, also when the connection was lost
    source.onopen = () => {
      rows = [];
      [looked, passed] = [0, 0];
    };
    source.onmessage = ({ data }) => show(JSON.parse(data as string) as TailAnswer);
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED)
        stop('The engine refuses one more stream: close a page, or raise http.streams_max.');
      else say('the engine does not answer; asking again');
    };
  };

  button.addEventListener('click', () => {
    if (source === null) begin();
    else stop('');
  });
  filter.addEventListener('change', () => {
    if (source === null) return;
    source.close();
    begin();
  });
}
