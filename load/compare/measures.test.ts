import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Request } from '../common/k6-samples';
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

const samples = (requests: Request[] = [], iterations: number[] = []) => ({
  ...{ requests, iterations, dropped: [] },
});

test('the times to each replica', () => {
  const found = measure(samples(), [], replicas, times);
  assert.is(found.toThird, 6.5);
  assert.is(found.toFifth, null);
  assert.is(found.mostReplicas, 4);
  const early = [{ at: 5_000, desired: 5, ready: 5, pods: 5 }];
  assert.is(measure(samples(), [], early, times).toThird, 0);
});

test('what is sent 100 ms late is not on time, nor is what was dropped', () => {
  const intended = [2, 2, 2, 2]; // due at 0, 500, 1000, …
  const iterations = [0, 500, 1000, 1600, 2601, 3100];
  const dropped = [2500, 4001];
  const found = measure({ ...samples([], iterations), dropped }, intended, replicas, times);
  assert.is(found.intended, 8);
  assert.is(found.sent, 5);
  assert.is(found.dropped, 2);
});

test('a rate that is no whole number adds up', () => {
  const iterations = [0, 1000, 1500, 2000];
  assert.is(measure(samples([], iterations), [0.5, 1.5, 2], replicas, times).sent, 4);
});

test('replica-seconds count all pods, from the begin of the run to its end', () => {
  const { replicaSeconds } = measure(samples(), [], replicas, times);
  assert.is(replicaSeconds, 15 * 2 + 70 * 5 + 15 * 2);
});

test('a failed request counts as slower than all that were answered', () => {
  const requests = [
    request(5_000, 9_999),
    request(10_000, 100),
    request(19_999, 300),
    request(15_000, 0, false),
    request(45_000, 50),
  ];
  const found = measure(samples(requests), [], replicas, times);
  assert.is(found.p95AtFirst, null);
  assert.is(found.p95, null);
  const answered = requests.filter((request) => request.answered);
  assert.is(measure(samples(answered), [], replicas, times).p95AtFirst, 300);
  assert.is(measure(samples(answered), [], replicas, times).p95, 9_999);
  assert.is(found.max, 9_999);
  assert.is(found.answered, 4);
  assert.is(found.failed, 1);
});

test('a second is slow with a p95 above 500 ms, or when nothing was sent in it', () => {
  const fast = Array.from({ length: 45 }, (_, i) => request(15_000 + i * 1000, 500));
  const requests = [
    ...fast,
    request(9_000, 501), // before the spike
    request(10_000, 500),
    request(11_000, 501),
    request(12_000, 10, false),
    request(13_000, 10, false),
    request(13_500, 10),
    // none in the next second
    request(59_999, 900),
    request(60_000, 900), // after it
  ];
  assert.is(measure(samples(requests), [], replicas, times).slowSeconds, 5);
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
