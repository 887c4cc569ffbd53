import { ask, messageOf } from './asking.js';
import type { LettersAnswer, PageLetter, ReplayAnswer, ReplayReason } from './letter-answers.js';
import type { PanelParts } from './panel.js';
import { fill } from './table.js';
import { time, whole } from './text.js';

/** The latest dead letters, and their replay: first what it would send, then, with another press, that it does. */

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const reason = () => byId<HTMLSelectElement>('latest-reason');
const refused = () => byId<HTMLInputElement>('replay-refused');
const look = () => byId<HTMLButtonElement>('replay-look');
const send = () => byId<HTMLButtonElement>('replay-send');

export const letters: PanelParts = {
  id: 'latest',
  everyMs: 5_000,
  begin: (refresh) => {
    reason().addEventListener('change', () => {
      forget();
      refresh();
    });
    refused().addEventListener('change', forget);
    look().addEventListener('click', () => void replay(false));
    send().addEventListener('click', () => void replay(true).then(refresh));
  },
  show: async () => {
    const which = reason().value;
    showLatest(await ask<LettersAnswer>('/api/letters', which === '' ? {} : { reason: which }));
  },
};

function showLatest({ reasons, letters: latest, first, last, troubles }: LettersAnswer): void {
  if (reason().options.length === 1) reason().append(...reasons.map((name) => new Option(name, name)));
  const from = first > last ? 'no version' : `versions ${first} to ${last}`;
  byId('latest-about').textContent = [
    `${whole(latest.length)} shown, of ${from}; headrace dlq list counts all.`,
    ...troubles,
  ].join(' ');
  fill<PageLetter>(
    'latest-table',
    [
      { head: 'letter', text: placeOf, value: placeOf, isText: true },
      { head: 'topic', text: ({ topic }) => topic, isText: true },
      {
        head: 'recorded (UTC)',
        text: ({ timestampMs }) => (timestampMs < 0 ? '–' : time(timestampMs)),
        isText: true,
      },
      { head: 'reason', text: (letter) => letter.reason, value: (letter) => letter.reason, isText: true },
      { head: 'detail', text: ({ detail }) => detail, isText: true },
      { head: 'key', text: ({ key }) => key ?? '–', isText: true },
      { head: 'value', text: ({ value }) => value ?? '–', isText: true },
      { head: 'version', text: ({ version }) => String(version), value: ({ version }) => version },
    ],
    latest,
  );
}

/** As `headrace dlq show` takes it. */
function placeOf({ partition, offset, item }: PageLetter): string {
  return `${partition}:${offset}${item === null ? '' : `:${item}`}`;
}

/** What was looked at is another replay now. */
function forget(): void {
  send().disabled = true;
  send().textContent = 'Send again';
  byId('replay-said').textContent = '';
  byId('replay-scroll').hidden = true;
}

async function replay(yes: boolean): Promise<void> {
  const parameters = {
    ...(reason().value === '' ? {} : { reason: reason().value }),
    ...(refused().checked ? { refused_too: '1' } : {}),
    ...(yes ? { yes: '1' } : {}),
  };
  const controls = [reason(), refused(), look()];
  forget();
  for (const each of controls) each.disabled = true;
  byId('replay-said').textContent = yes ? 'sending …' : 'looking …';
  byId('replay-box').className = 'hint';
  try {
    showReplay(await ask<ReplayAnswer>('/api/replay', parameters, 'POST'));
  } catch (error) {
    byId('replay-said').textContent = messageOf(error);
    byId('replay-box').className = 'hint bad';
  } finally {
    for (const each of controls) each.disabled = false;
    // a button that was pressed and then disabled has lost it
    if (document.activeElement === document.body) look().focus();
  }
}

function showReplay({ topic, done, sent, reasons, notesMissing, troubles }: ReplayAnswer): void {
  const said = done
    ? `${whole(sent)} dead letters went back to topic ${topic}.`
    : `${whole(sent)} dead letters would go back to topic ${topic}.`;
  const lacking =
    notesMissing === null ? [] : [`The topic that notes what went does not exist yet: ${notesMissing}`];
  byId('replay-said').textContent = [said, ...lacking, ...troubles].join(' ');
  const canSend = !done && sent > 0 && notesMissing === null;
  send().disabled = !canSend;
  send().textContent = canSend ? `Send ${whole(sent)} again` : 'Send again';
  byId('replay-scroll').hidden = reasons.length === 0;
  const count = (head: string, of: (reason: ReplayReason) => number) => ({
    head,
    text: (each: ReplayReason) => whole(of(each)),
    value: of,
  });
  fill<ReplayReason>(
    'replay-table',
    [
      { head: 'reason', text: (each) => each.reason, isText: true },
      count('letters', (each) => each.letters),
      count(done ? 'sent' : 'to send', (each) => each.sent),
      count('replayed before', (each) => each.replayedBefore),
      count('refused still', (each) => each.refused),
      count('gone', (each) => each.gone),
    ],
    reasons,
  );
}
