import { byId, setText } from './dom';

interface Sample {
  /** Server time minus `performance.now()`, in ms. */
  offset: number;
  /** How long the request took: the offset is off by up to half of that. */
  ms: number;
  at: number;
}

const samples: Sample[] = [];
const keepMs = 30_000;
const staleMs = 5000;

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' });
const local = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const { timeZone } = local.resolvedOptions();

/** Sets the clock. @param ms how long the request took that brought this time, just now */
export function setClock(epochMs: number, ms: number): void {
  const at = performance.now();
  samples.push({ offset: epochMs + ms / 2 - at, ms, at });
  while (samples[0] && at - samples[0].at > keepMs) samples.shift();
}

/** Shows the server's time, each second as it begins there. */
export function tick(): void {
  const now = performance.now();
  const clock = byId('clock');
  const latest = samples.at(-1);
  let wait = 50;
  if (latest) {
    const best = samples.reduce((a, b) => (b.ms < a.ms ? b : a));
    const time = new Date(now + best.offset);
    const where = timeZone === 'UTC' ? '' : ` · ${local.format(time)} in ${timeZone}`;
    setText(clock, time.toISOString().slice(11, 19));
    setText(byId('date'), `${day.format(time)}, UTC${where}`);
    clock.classList.toggle('stale', now - latest.at > staleMs);
    wait = 1000 - (time.getTime() % 1000);
  }
  setTimeout(tick, wait);
}
