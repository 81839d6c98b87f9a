import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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

test.run();
