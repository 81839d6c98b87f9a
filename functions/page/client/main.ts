import { setClock, tick } from './clock';
import { refreshDocuments, setUpPaging } from './documents';
import { setUpForm } from './form';
import { request } from './http';
import { repeat } from './repeat';
import { addSighting } from './replicas';
import { showService } from './service';
import { noteReadiness, noteTime } from './state';
import { setUpToken, tokenIsWanted } from './token';

const timeoutMs = 5000;

/** Asks for the time, on a connection of its own: a kept one always leads to the same replica. */
async function askTime(): Promise<void> {
  if (tokenIsWanted()) return;
  const answer = await request('time', { headers: { 'X-Connection': 'close' } }, timeoutMs);
  const failed = !answer || answer.status >= 500;
  noteTime(answer);
  const { ms = timeoutMs, servedBy = null } = answer ?? {};
  addSighting({ at: performance.now(), ms, servedBy, failed });
  if (answer?.ok) setClock(answer.json.epochMs, answer.ms);
}

let wasReachable = true;
let knowsService = false;

/** Asks how the service is. What was missing meanwhile is loaded when it is back. */
async function askReadiness(): Promise<void> {
  const isReachable = noteReadiness(await request('readyz', {}, timeoutMs));
  if (isReachable && !wasReachable) void refresh();
  wasReachable = isReachable;
  if (!knowsService) knowsService = await showService();
}

setUpToken(() => {
  void askTimeNow();
  void refresh();
});
setUpForm();
setUpPaging();
tick();
const askTimeNow = repeat(askTime, 500, 10_000);
repeat(askReadiness, 2000, 20_000);
const refresh = repeat(refreshDocuments, 4000, 60_000);
