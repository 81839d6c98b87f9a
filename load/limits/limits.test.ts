import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type MemoryResult,
  memoryFaults,
  memoryReport,
  type OverloadResult,
  overloadFaults,
  overloadReport,
} from './limits-report';
import { scenarios } from './scenarios';
import { jsonOf, kinds } from './test-documents';

const passed: MemoryResult = {
  name: 'a scenario',
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

const best: OverloadResult = {
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
const tenfold: OverloadResult = { ...best, times: 10, offered: 10_000, good: 800, refused: 9000 };

test('A scenario passes when requests get responses or 503s, and misbehaving clients are disconnected.', () => {
  assert.equal(memoryFaults(passed), []);
  assert.match(
    memoryReport([passed]),
    '| a scenario | 300 | 20 | 50 × 201, 10 × 503 | 70 | 1.23 | 1.5 | – |',
  );
  assert.match(memoryReport([passed]), '1 of 1 scenarios passed.');
});

test('A scenario fails when the process dies, a request is lost, a response is a 500 or memory is too high.', () => {
  const faults = (change: Partial<MemoryResult>) => memoryFaults({ ...passed, ...change });
  assert.equal(faults({ death: 'heap out of memory', after: undefined }), [
    'died (heap out of memory)',
  ]);
  assert.equal(faults({ lost: { ECONNRESET: 2, SILENT: 1 } }), [
    '3 requests lost (2 × ECONNRESET, 1 × SILENT)',
  ]);
  assert.equal(faults({ answers: { 201: 1, 500: 3 } }), ['3 × 500']);
  assert.equal(faults({ peakMiB: 400 }), []);
  assert.equal(faults({ peakMiB: 401 }), ['more than 400 MiB']);
  assert.equal(faults({ after: undefined }), ['no response afterwards']);
  assert.match(memoryReport([passed, { ...passed, peakMiB: 500 }]), '1 of 2 scenarios passed.');
});

test('An overload passes when throughput stays above 80 % of the highest and no request is lost.', () => {
  assert.equal(overloadFaults([best, tenfold]), []);
  assert.match(
    overloadReport([best, tenfold]),
    '| 10 × | 10000 | 1000 | 800 | 9000 | – | 10.0 | 20.0 | 150 | 0.50 |',
  );
});

test('An overload fails when throughput falls, a request is lost or the process dies.', () => {
  const faults = (change: Partial<OverloadResult>) =>
    overloadFaults([best, { ...tenfold, ...change }]);
  assert.equal(faults({ good: 799 }), ['at 10000/s: throughput fell to 80 % of the highest']);
  assert.equal(faults({ lost: { CLOSED: 1 } }), ['at 10000/s: requests lost (1 × CLOSED)']);
  assert.equal(faults({ other: 2 }), ['at 10000/s: 2 responses were neither 2xx nor 503']);
  assert.equal(faults({ peakMiB: 450 }), ['at 10000/s: more than 400 MiB']);
  assert.equal(faults({ death: 'heap out of memory' }), ['at 10000/s: died (heap out of memory)']);
});

test('At the highest throughput itself fewer responses are allowed, as arrivals are uneven.', () => {
  assert.equal(overloadFaults([best, { ...tenfold, times: 1, offered: 1000, good: 700 }]), []);
});

test('Test documents are JSON of the requested size.', () => {
  for (const kind of kinds) {
    const bytes = jsonOf(kind, 10_000);
    assert.ok(bytes.length <= 10_000 && bytes.length > 9800, `${kind}: ${bytes.length}`);
    assert.type(JSON.parse(bytes.toString()), 'object');
  }
});

test('The names of scenarios are unique.', () => {
  assert.is(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
});

test.run();
