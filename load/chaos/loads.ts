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
      return ledger.list(target, 10 + (n % 6));
    case 'readers that stall':
      return ledger.list(target, 20 + (n % 4), load.ms);
  }
}

/** One long text, or many rows, about so many bytes of JSON. */
function ofBytes(bytes: number, n: number): object {
  if (n % 2 === 0) return { text: 'x'.repeat(bytes) };
  const row = { sku: 'A-1', quantity: 2, price: 12.5 };
  const count = Math.floor(bytes / (JSON.stringify(row).length + 1));
  return { rows: Array.from({ length: count }, () => row) };
}
