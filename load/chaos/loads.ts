import type { Target } from './client';
import type { Ledger } from './ledger';
import type { Load } from './schedule';

/** Asks for more than usual, all at once. Posts are in the ledger; half of them can be repeated. */
export async function apply(
  ledger: Ledger,
  targets: readonly Target[],
  load: Load,
  keys: boolean,
): Promise<void> {
  const count = 'count' in load ? load.count : load.sizes.length;
  const begun = Array.from({ length: count }, (_, n) => request(ledger, targets, load, keys, n));
  await Promise.all(begun);
}

function request(
  ledger: Ledger,
  targets: readonly Target[],
  load: Load,
  keys: boolean,
  n: number,
): Promise<void> {
  const target = targets[n % targets.length] as Target;
  const withKey = keys && n % 4 < 2;
  switch (load.kind) {
    case 'posts at once':
      return ledger.post({ first: n, withKey });
    case 'large documents':
      return ledger.post({ first: n, withKey, more: ofBytes(load.sizes[n] ?? 0, n) });
    case 'uploads that stall':
      return ledger.post({ first: n, withKey, stallMs: load.ms });
    case 'lists at once':
      return ledger.ask('a list', target, { path: `/data?limit=${1 + (n % 12) * 4}` });
    case 'readers that stall':
      return ledger.ask('a list, taken late', target, {
        path: `/data?limit=${20 + n}`,
        takeAfterMs: load.ms,
      });
  }
}

/** One long text, or many rows, about so many bytes of JSON. */
function ofBytes(bytes: number, n: number): object {
  if (n % 2 === 0) return { text: 'x'.repeat(bytes) };
  const row = { sku: 'A-1', quantity: 2, price: 12.5 };
  const count = Math.floor(bytes / (JSON.stringify(row).length + 1));
  return { rows: Array.from({ length: count }, () => row) };
}
