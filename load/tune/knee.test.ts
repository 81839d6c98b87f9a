import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findKnee, lowestOf } from './knee';

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
  assert.equal(findKnee(steps, 5), { target: 8 });
  assert.equal(findKnee([...steps.slice(0, 4), step(64, 490, 450, 0.01)], 500).limit, 16);
});

test('what suits all loads is the lowest of each', () => {
  const knees = [{ target: 8, limit: 128 }, { target: 64, limit: 96 }, { target: 32 }];
  assert.equal(lowestOf(knees), { target: 8, limit: 96 });
});

test.run();
