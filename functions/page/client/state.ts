import { byId, setText } from './dom';
import type { Answer } from './http';
import { judge, type Signals } from './service-state';

const signals: Signals = {
  time: undefined,
  failures: 0,
  readiness: undefined,
  overloadedAt: Number.NEGATIVE_INFINITY,
  unavailableAt: Number.NEGATIVE_INFINITY,
};

/** Notes an answer to `GET /time`. */
export function noteTime(answer: Answer | undefined): void {
  signals.time = answer;
  signals.failures = answer && answer.status < 500 ? 0 : signals.failures + 1;
  showState();
}

/** Notes an answer to `GET /readyz`. @returns whether documents can be read, as far as that tells */
export function noteReadiness(answer: Answer | undefined): boolean {
  signals.readiness = answer;
  showState();
  return answer?.json?.database === 'reachable';
}

/** Notes an answer of `/data`. */
export function noteDocuments(answer: Answer | undefined): void {
  if (!answer) return;
  const { ok, problem } = answer;
  const now = performance.now();
  if (problem?.type === 'overloaded') signals.overloadedAt = now;
  if (problem?.type === 'database-unavailable') signals.unavailableAt = now;
  if (ok) signals.overloadedAt = signals.unavailableAt = Number.NEGATIVE_INFINITY;
  showState();
}

function showState(): void {
  const { level, title, text } = judge(signals, performance.now());
  const shown = byId('state');
  shown.dataset.level = level;
  setText(shown.querySelector('strong') as Element, title);
  setText(shown.querySelector('span') as Element, text);
}
