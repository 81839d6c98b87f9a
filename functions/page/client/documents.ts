import { byId, element, link, setText } from './dom';
import { request } from './http';
import { noteDocuments } from './state';
import { hasToken, tokenIsWanted } from './token';

interface StoredDocument {
  id: string;
  createdAt: string;
  data: unknown;
}

const pageSize = 10;
const previewLength = 160;
const tokenAdvice = 'Enter a token above to see the documents.';
/** Characters of a document that are shown; the rest is behind its link. */
const shownLength = 20_000;

/** The cursor of each page up to the one that is shown. The first page has none. */
let cursors: (string | undefined)[] = [undefined];
let next: string | null = null;
let shownAt: Date | undefined;
/** Counts loads, so that a late answer does not replace a newer one. */
let loads = 0;
const items = new Map<string, HTMLLIElement>();

/** Loads the page that is shown again, if it is the first: the others do not change. */
export async function refreshDocuments(): Promise<void> {
  if (tokenIsWanted()) return showStale(tokenAdvice);
  if (cursors.length === 1 || !shownAt) await load(cursors);
}

/** Goes to the first page, where a document that was just posted is. */
export async function showNewest(): Promise<void> {
  await load([undefined]);
}

/** Makes the buttons below the list work. */
export function setUpPaging(): void {
  onClick('older', () => (next === null ? undefined : load([...cursors, next])));
  onClick('newer', () => (cursors.length === 1 ? undefined : load(cursors.slice(0, -1))));
}

function onClick(id: string, action: () => unknown): void {
  byId(id).addEventListener('click', (event) => {
    const button = event.currentTarget as HTMLElement;
    if (button.getAttribute('aria-disabled') !== 'true') action();
  });
}

async function load(wanted: (string | undefined)[]): Promise<void> {
  const mine = ++loads;
  const cursor = wanted.at(-1);
  const answer = await request(`data?limit=${pageSize}${cursor ? `&cursor=${cursor}` : ''}`);
  noteDocuments(answer);
  if (mine !== loads) return;
  if (tokenIsWanted()) return showStale(tokenAdvice);
  if (!answer?.ok) return showStale(answer?.problem?.detail ?? 'The service does not answer.');
  const isSamePage = shownAt !== undefined && cursors.length === wanted.length;
  cursors = wanted;
  next = answer.json.next;
  show(answer.json.items, isSamePage);
}

function show(documents: StoredDocument[], isSamePage: boolean): void {
  const list = byId('documents');
  shownAt = new Date();
  list.classList.remove('stale');
  setText(byId('documents-state'), '');
  const kept = new Set(documents.map(({ id }) => id));
  for (const [id, item] of items) {
    if (kept.has(id)) continue;
    item.remove();
    items.delete(id);
  }
  list.querySelector('.empty')?.remove();
  documents.forEach((stored, i) => {
    let item = items.get(stored.id);
    if (!item) {
      item = toItem(stored);
      if (isSamePage) item.classList.add('fresh');
      items.set(stored.id, item);
    }
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
  });
  if (documents.length === 0) {
    list.append(element('li', 'empty', 'There are no documents yet. Post the first one.'));
  }
  byId('older').setAttribute('aria-disabled', String(next === null));
  byId('newer').setAttribute('aria-disabled', String(cursors.length === 1));
  setText(byId('page-number'), `Page ${cursors.length}`);
}

function showStale(reason: string): void {
  byId('documents').classList.toggle('stale', shownAt !== undefined);
  const since = shownAt ? `As of ${shownAt.toLocaleTimeString('en-GB')}. ` : '';
  setText(byId('documents-state'), `${since}${reason.replace(' Try again.', '')}`);
}

/** One document: a line, which opens to the whole. */
function toItem({ id, createdAt, data }: StoredDocument): HTMLLIElement {
  const time = element('time', '', shortTime(new Date(createdAt)));
  time.dateTime = createdAt;
  const line = JSON.stringify(data);
  const preview = line.length > previewLength ? `${line.slice(0, previewLength)}…` : line;
  const details = element(
    'details',
    '',
    element('summary', '', time, element('code', 'preview', preview)),
  );
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(whole());
  });

  function whole(): HTMLElement {
    const text = JSON.stringify(data, null, 2);
    const pre = element('pre', '', text.slice(0, shownLength));
    pre.tabIndex = 0;
    pre.setAttribute('aria-label', `Document ${id}`);
    pre.setAttribute('role', 'region');
    const rest = text.length - shownLength;
    const more = rest > 0 ? ` · ${rest.toLocaleString('en')} more characters there` : '';
    return element('div', 'more', pre, element('p', '', `${createdAt} · `, documentLink(id), more));
  }
  return element('li', '', details);
}

/** A link to a document, unless the browser would have to send a token with it. */
export function documentLink(id: string): HTMLElement {
  return hasToken() ? element('code', '', id) : link(`data/${id}`, id);
}

function shortTime(date: Date): string {
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? date.toLocaleTimeString('en-GB')
    : date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}
