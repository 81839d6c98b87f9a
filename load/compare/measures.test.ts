import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { perSecond, readCsv } from '../shared/k6-samples';
import { percentile } from '../shared/statistics';
import { findKnee } from '../tune/knee';
import { measure, type Replicas, replicasAt } from './measures';

const test = suite('measures');

const times = { begin: 0, spike: 10_000, fall: 60_000, end: 100_000 };
const replicas: Replicas[] = [
  { at: -5_000, desired: 2, ready: 2, pods: 2 },
  { at: 15_000, desired: 5, ready: 2, pods: 5 },
  { at: 16_500, desired: 5, ready: 4, pods: 5 },
  { at: 80_000, desired: 2, ready: 2, pods: 5 },
  { at: 85_000, desired: 2, ready: 2, pods: 2 },
];
const request = (start: number, duration: number, answered = true) => ({
  start,
  duration,
  answered,
});

test('the times to each replica and back to two', () => {
  const found = measure({ requests: [], dropped: [] }, replicas, times);
  assert.is(found.toThird, 6.5);
  assert.is(found.toFourth, 6.5);
  assert.is(found.toFifth, null);
  assert.is(found.backToTwo, 20);
});

test('the return to two counts only when no replica is added later', () => {
  const relapse = [
    ...replicas,
    { at: 90_000, desired: 3, ready: 3, pods: 3 },
    { at: 95_000, desired: 2, ready: 2, pods: 2 },
  ];
  assert.is(measure({ requests: [], dropped: [] }, relapse, times).backToTwo, 35);
  const never = relapse.slice(0, -1);
  assert.is(measure({ requests: [], dropped: [] }, never, times).backToTwo, null);
});

test('replica-seconds count all pods, from the begin of the run to its end', () => {
  const { replicaSeconds } = measure({ requests: [], dropped: [] }, replicas, times);
  assert.is(replicaSeconds, 15 * 2 + 70 * 5 + 15 * 2);
});

test('latency is that of successful requests, failures are counted', () => {
  const requests = [
    request(5_000, 9_999),
    request(10_000, 100),
    request(19_999, 300),
    request(15_000, 0, false),
    request(45_000, 50),
  ];
  const found = measure({ requests, dropped: [1, 2] }, replicas, times);
  assert.is(found.p95AtFirst, 300);
  assert.is(found.p95AtLast, 50);
  assert.is(found.requests, 5);
  assert.is(found.failed, 1);
  assert.is(found.dropped, 2);
});

test('the replicas at each second', () => {
  assert.equal(
    replicasAt(replicas, 14_000, 4).map(({ ready, pods }) => [ready, pods]),
    [
      [2, 2],
      [2, 5],
      [2, 5],
      [4, 5],
    ],
  );
});

test('percentiles are nearest-rank', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.is(percentile(values, 95), 95);
  assert.is(percentile(values, 50), 50);
  assert.is(percentile([7], 99), 7);
  assert.is(percentile([], 50), null);
});

test("k6's CSV is aggregated by second", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'measures-test-'));
  const file = join(folder, 'samples.csv');
  writeFileSync(
    file,
    `metric_name,timestamp,metric_value,expected_response,name,extra_tags,metadata
http_req_duration,1100,10.000000,true,setup,,
http_reqs,1500,1.000000,true,GET /time,,
http_req_duration,1500,400.000000,true,GET /time,,
http_req_duration,2300,200.000000,false,POST /data,,
http_req_duration,3100,600.000000,true,GET /data,,
dropped_iterations,2700,1.000000,,,,
`,
  );
  const samples = await readCsv(file);
  rmSync(folder, { recursive: true });
  assert.equal(perSecond(samples, 1000, 2), [
    { arrivals: 1, failed: 0, dropped: 0, p50: 400, p95: 400, p99: 400, concurrency: 0.4 },
    { arrivals: 2, failed: 1, dropped: 1, p50: 600, p95: 600, p99: 600, concurrency: 0.8 },
  ]);
});

test('the knee is where higher concurrency no longer raises throughput', () => {
  const step = (concurrency: number, throughput: number, p95: number, failed = 0) => ({
    ...{ concurrency, throughput, p95, failed },
  });
  const steps = [
    step(1, 100, 10),
    step(4, 350, 15),
    step(8, 460, 40),
    step(16, 500, 90),
    step(64, 490, 450),
    step(128, 480, 900),
  ];
  assert.equal(findKnee(steps, 500), { target: 8, limit: 64 });
  assert.equal(findKnee(steps, 100), { target: 8, limit: 16 });
  assert.equal(findKnee(steps, 5), { target: 8, limit: 8 });
  assert.equal(findKnee([...steps.slice(0, 4), step(64, 490, 450, 0.01)], 500).limit, 16);
});

test.run();
