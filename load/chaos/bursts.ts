import type { Target } from './http-client';
import type { Ledger } from './ledger';
import type { Burst } from './schedule';

/** Sends the requests of a burst concurrently. The ledger records them; half of the posts have a key. */
export async function sendBurst(
  ledger: Ledger,
  targets: readonly Target[],
  burst: Burst,
  keys: boolean,
): Promise<void> {
  const count = 'count' in burst ? burst.count : burst.sizes.length;
  await Promise.all(
    Array.from({ length: count }, (_, n) => sendOne(ledger, targets, burst, keys, n)),
  );
}

function sendOne(
  ledger: Ledger,
  targets: readonly Target[],
  burst: Burst,
  keys: boolean,
  n: number,
): Promise<void> {
  const target = targets[n % targets.length] as Target;
  const withKey = keys && n % 4 < 2;
  switch (burst.kind) {
    case 'posts at once':
      return ledger.post({ firstTarget: n, withKey });
    case 'large documents':
      return ledger.post({ firstTarget: n, withKey, fields: fieldsOf(burst.sizes[n] ?? 0) });
    case 'uploads that stall':
      return ledger.post({ firstTarget: n, withKey, stallMs: burst.ms });
    case 'lists at once':
      return ledger.list(target, 10 + (n % 4));
    case 'readers that stall':
      return ledger.list(target, 20 + (n % 2), burst.ms);
  }
}

/** Some rows and a long text, of about `bytes` bytes as JSON. FerretDB is slow with more rows. */
function fieldsOf(bytes: number): object {
  const rows = Array.from({ length: 500 }, (_, n) => ({ sku: `A-${n}`, quantity: 2, price: 12.5 }));
  return { rows, text: 'x'.repeat(Math.max(0, bytes - JSON.stringify(rows).length)) };
}
