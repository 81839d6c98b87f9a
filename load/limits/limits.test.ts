import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { json, kinds } from './documents';
import { loads } from './loads';
import {
  faultsOf,
  type MemoryRow,
  memoryTable,
  type OverloadRow,
  overloadFaults,
  overloadTable,
} from './table';

const held: MemoryRow = {
  name: 'a load',
  death: undefined,
  restMiB: 60,
  peakMiB: 300,
  socketsMiB: 20,
  seconds: 1.5,
  answers: { 201: 50, 503: 10 },
  lost: {},
  cut: 70,
  slowestMs: 1234,
  after: 200,
};

const best: OverloadRow = {
  times: undefined,
  offered: 1000,
  delivered: 1000,
  good: 1000,
  refused: 0,
  other: 0,
  lost: {},
  p50: 10,
  p95: 20,
  peakMiB: 150,
  clientCores: 0.5,
  death: undefined,
};
const tenfold: OverloadRow = { ...best, times: 10, offered: 10_000, good: 800, refused: 9000 };

test('A load holds that is answered, refused with 503, or cut for what its clients did.', () => {
  assert.equal(faultsOf(held), []);
  assert.match(
    memoryTable([held]),
    '| a load | 300 | 20 | 50 × 201, 10 × 503 | 70 | 1.23 | 1.5 | – |',
  );
  assert.match(memoryTable([held]), '1 of 1 loads hold.');
});

test('A load does not hold that ends the process, loses a request, gets a 500 or takes too much.', () => {
  const faults = (change: Partial<MemoryRow>) => faultsOf({ ...held, ...change });
  assert.equal(faults({ death: 'the heap ran out', after: undefined }), [
    'died (the heap ran out)',
  ]);
  assert.equal(faults({ lost: { ECONNRESET: 2, SILENT: 1 } }), [
    '3 requests lost (2 × ECONNRESET, 1 × SILENT)',
  ]);
  assert.equal(faults({ answers: { 201: 1, 500: 3 } }), ['3 × 500']);
  assert.equal(faults({ peakMiB: 400 }), []);
  assert.equal(faults({ peakMiB: 401 }), ['more than 400 MiB']);
  assert.equal(faults({ after: undefined }), ['no answer afterwards']);
  assert.match(memoryTable([held, { ...held, peakMiB: 500 }]), '1 of 2 loads hold.');
});

test('An overload holds in which 80 % of the best rate are answered and nothing is lost.', () => {
  assert.equal(overloadFaults([best, tenfold]), []);
  assert.match(
    overloadTable([best, tenfold]),
    '| 10 × | 10000 | 1000 | 800 | 9000 | – | 10.0 | 20.0 | 150 | 0.50 |',
  );
});

test('An overload does not hold in which the rate falls, a request is lost or the process ends.', () => {
  const faults = (change: Partial<OverloadRow>) =>
    overloadFaults([best, { ...tenfold, ...change }]);
  assert.equal(faults({ good: 799 }), ['at 10000/s it answered 80 % of its best rate']);
  assert.equal(faults({ lost: { CLOSED: 1 } }), ['at 10000/s requests were lost (1 × CLOSED)']);
  assert.equal(faults({ other: 2 }), ['at 10000/s 2 answers were neither 2xx nor 503']);
  assert.equal(faults({ peakMiB: 450 }), ['at 10000/s it took more than 400 MiB']);
  assert.equal(faults({ death: 'the heap ran out' }), ['at 10000/s it died (the heap ran out)']);
});

test('At the best rate itself fewer may be answered, as arrivals then come unevenly.', () => {
  assert.equal(overloadFaults([best, { ...tenfold, times: 1, offered: 1000, good: 700 }]), []);
});

test('A document is JSON of the size that is asked for.', () => {
  for (const kind of kinds) {
    const bytes = json(kind, 10_000);
    assert.ok(bytes.length <= 10_000 && bytes.length > 9800, `${kind}: ${bytes.length}`);
    assert.type(JSON.parse(bytes.toString()), 'object');
  }
});

test('No two loads have the same name.', () => {
  assert.is(new Set(loads.map(({ name }) => name)).size, loads.length);
});

test.run();
