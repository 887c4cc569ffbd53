/** Tables of the page. Text goes in as text, never as markup: names come from topics, models and people. */

export interface Column<Row> {
  head: string;
  text(row: Row): string;
  /** Beside the text: what a test, or a script, can compare. */
  value?: (row: Row) => number | string | null;
  /** A bar instead of the text, 0 to 1. */
  meter?: (row: Row) => number;
  /** A button with the text. */
  press?: (row: Row) => void;
  isPressed?: (row: Row) => boolean;
  isDisabled?: (row: Row) => boolean;
  isText?: boolean;
}

export function fill<Row>(id: string, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const table = document.getElementById(id)!;
  const head = element('thead', [
    element(
      'tr',
      columns.map(({ head }) => headCell(head)),
    ),
  ]);
  const body = element(
    'tbody',
    rows.map((row) =>
      element(
        'tr',
        columns.map((column) => cell(column, row)),
      ),
    ),
  );
  // who goes through a table by keyboard stays where they are while it is made anew
  const { activeElement } = document;
  const focused = table.contains(activeElement) ? (activeElement as HTMLElement).dataset.name : undefined;
  table.replaceChildren(head, body);
  if (focused === undefined) return;
  const again = [...table.querySelectorAll('button')].find(({ dataset }) => dataset.name === focused);
  again?.focus();
}

function headCell(text: string): HTMLElement {
  const made = element('th', [text]);
  made.setAttribute('scope', 'col');
  return made;
}

function cell<Row>(column: Column<Row>, row: Row): HTMLElement {
  const td = element('td', []);
  if (column.isText === true) td.className = 'text';
  const text = column.text(row);
  if (column.meter !== undefined) {
    const meter = document.createElement('meter');
    meter.value = column.meter(row);
    meter.title = text;
    td.append(meter);
  } else if (column.press !== undefined) td.append(button(column, row));
  else td.textContent = text;
  const value = column.value?.(row);
  if (value !== undefined && value !== null) td.dataset.value = String(value);
  td.dataset.column = column.head;
  return td;
}

function button<Row>(column: Column<Row>, row: Row): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = column.text(row);
  made.dataset.name = `${column.head} ${column.text(row)}`;
  made.setAttribute('aria-label', made.dataset.name);
  made.setAttribute('aria-pressed', String(column.isPressed?.(row) ?? false));
  made.disabled = column.isDisabled?.(row) ?? false;
  made.addEventListener('click', () => column.press?.(row));
  return made;
}

export function element(name: string, children: readonly (string | Node)[]): HTMLElement {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}
