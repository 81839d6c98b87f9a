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
      return ledger.post({ first: n, withKey, more: ofBytes(load.sizes[n] ?? 0) });
    case 'uploads that stall':
      return ledger.post({ first: n, withKey, stallMs: load.ms });
    case 'lists at once':
      return ledger.list(target, 10 + (n % 4));
    case 'readers that stall':
      return ledger.list(target, 20 + (n % 2), load.ms);
  }
}

/** Some rows and a long text, about so many bytes of JSON. More rows would keep FerretDB busy. */
function ofBytes(bytes: number): object {
  const rows = Array.from({ length: 500 }, (_, n) => ({ sku: `A-${n}`, quantity: 2, price: 12.5 }));
  return { rows, text: 'x'.repeat(Math.max(0, bytes - JSON.stringify(rows).length)) };
}
