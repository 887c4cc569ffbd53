import { ask } from './asking.js';
import type { PanelParts } from './panel.js';
import { type Column, element, fill } from './table.js';
import { orUnknown, upToFour, whole } from './text.js';
import type { ViewAbout, ViewAnswer, ViewCell, ViewsAnswer } from './view-answers.js';

/** ClickHouse's analytic views: a card each, with a bar a row for its sessions. */

const SESSIONS = 'sessions';
let known: ViewsAnswer | null = null;
const days = () => document.getElementById('view-days') as HTMLSelectElement;

export const views: PanelParts = {
  id: 'views',
  everyMs: 15_000,
  begin: (refresh) => days().addEventListener('change', refresh),
  show: async () => {
    known ??= await begun();
    // one after the other: they are one ClickHouse's
    for (const { name } of known.views) {
      showAnswer(await ask<ViewAnswer>('/api/view', { name, days: days().value }));
    }
  },
};

async function begun(): Promise<ViewsAnswer> {
  const answer = await ask<ViewsAnswer>('/api/views');
  const option = (count: number) => {
    const isUsual = count === answer.daysUsual;
    return new Option(String(count), String(count), isUsual, isUsual);
  };
  days().replaceChildren(...answer.days.map(option));
  document.getElementById('views-lacking')!.textContent = answer.lacking ?? '';
  document.getElementById('view-controls')!.hidden = answer.lacking !== null;
  document.getElementById('view-cards')!.replaceChildren(...answer.views.map(card));
  return answer;
}

function card({ name, about }: ViewAbout): HTMLElement {
  const table = element('table', []);
  table.id = `view-${name}`;
  const scroll = element('section', [table]);
  scroll.className = 'tall';
  // what scrolls must be reached by keyboard
  scroll.tabIndex = 0;
  scroll.setAttribute('aria-label', `${name}, ${about}`);
  return element('figure', [element('figcaption', [`${name}: ${about}`]), scroll]);
}

function showAnswer({ name, keys, columns, rows }: ViewAnswer): void {
  const sessionsAt = columns.indexOf(SESSIONS);
  const sessionsOf = (row: ViewCell[]) => Number(row[sessionsAt] ?? 0);
  const most = Math.max(1, ...rows.map(sessionsOf));
  const shown = columns.flatMap((head, at): Column<ViewCell[]>[] => {
    const column = columnOf(head, at, keys.includes(head));
    if (at !== sessionsAt) return [column];
    const bar = (row: ViewCell[]) => Math.max(0, sessionsOf(row)) / most;
    return [{ head: 'share', text: (row) => whole(sessionsOf(row)), meter: bar }, column];
  });
  fill(`view-${name}`, shown, rows);
}

function columnOf(head: string, at: number, isKey: boolean): Column<ViewCell[]> {
  const cellOf = (row: ViewCell[]) => row[at] ?? null;
  const text = (row: ViewCell[]) => {
    const value = cellOf(row);
    // an hour, or a day, is no quantity
    if (isKey) return value === null || value === '' ? '–' : String(value);
    return typeof value === 'string' ? value : orUnknown(value, upToFour);
  };
  return { head, text, value: cellOf, isText: isKey };
}
