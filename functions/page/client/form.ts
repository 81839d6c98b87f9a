import { documentLink, showNewest } from './documents';
import { byId, element } from './dom';
import { type Answer, type Problem, request } from './http';
import { locate, type Range } from './locate';
import { noteDocuments } from './state';

/** The key of a post whose outcome is unknown: the same text is sent again under the same key. */
let unsettled: { text: string; key: string } | undefined;
let sending = false;

/** Makes the form post its text. */
export function setUpForm(): void {
  const form = byId<HTMLFormElement>('form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!sending) void send();
  });
  byId('body').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

async function send(): Promise<void> {
  const text = byId<HTMLTextAreaElement>('body').value;
  if (unsettled?.text !== text) unsettled = { text, key: randomKey() };
  setSending(true);
  const answer = await request('data', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `"${unsettled.key}"` },
    body: text,
  });
  setSending(false);
  noteDocuments(answer);
  if (answer && answer.status < 500) unsettled = undefined;
  showOutcome(answer, text);
  if (answer?.ok) await showNewest();
}

function setSending(value: boolean): void {
  sending = value;
  const button = byId('send');
  button.setAttribute('aria-disabled', String(value));
  button.textContent = value ? 'Posting …' : 'Post';
}

function showOutcome(answer: Answer | undefined, text: string): void {
  const field = byId<HTMLTextAreaElement>('body');
  const problem = byId('problem');
  const stored = byId('stored');
  problem.replaceChildren();
  stored.replaceChildren();
  if (answer?.ok) {
    field.removeAttribute('aria-invalid');
    const { id } = answer.json;
    stored.append('Stored as ', documentLink(id));
    return;
  }
  const isWrong = answer !== undefined && answer.status < 500;
  field.setAttribute('aria-invalid', String(isWrong));
  problem.append(...describe(answer?.problem));
  const range = isWrong && answer.problem ? rangeOf(answer.problem, text) : undefined;
  if (!range) return;
  field.focus();
  field.setSelectionRange(range.start, range.end);
}

function describe(problem: Problem | undefined): Node[] {
  const advice = 'Post it again as it is: the Idempotency-Key is the same, so it is stored once.';
  if (!problem) {
    return [paragraph('There was no answer', 'The document may be stored.', advice)];
  }
  const { status, title = '', issues = [], type } = problem;
  const detail = status === 401 ? 'Enter a token above, then post again.' : problem.detail;
  const fields = element('dl');
  for (const { path, message } of issues) {
    if (path.length === 0) continue;
    fields.append(element('dt', '', path.join(' → ')), element('dd', '', message));
  }
  const isByField = fields.children.length > 0;
  const shown: Node[] = [paragraph(`${status} ${title}`, isByField ? '' : (detail ?? ''))];
  if (isByField) shown.push(fields);
  if (status >= 500) shown.push(element('p', '', advice));
  if (type) shown.push(element('p', 'soft note', type));
  return shown;
}

function paragraph(title: string, ...sentences: string[]): HTMLElement {
  return element('p', '', element('b', 'problem-title', title), ` ${sentences.join(' ')}`);
}

/** The part of the text that a problem is about. */
function rangeOf({ type, issues }: Problem, text: string): Range | undefined {
  const path = issues?.[0]?.path ?? [];
  try {
    JSON.parse(text);
    return path.length > 0 ? locate(text, path) : undefined;
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    if (type !== 'malformed-json' || position === undefined) return undefined;
    return { start: Number(position), end: Number(position) + 1 };
  }
}

/** Not `crypto.randomUUID`, which a page has only with TLS or on localhost. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
