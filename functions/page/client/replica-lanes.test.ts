import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lanes, type Sighting } from './replica-lanes';

const sighting = (at: number, servedBy: string | null, ms = 5, failed = false): Sighting => ({
  at,
  ms,
  servedBy,
  failed,
});

test('answers of the last minute are grouped by replica', () => {
  const knative = 'functions-00002-deployment-6c8f7d9b5-9hvnt; revision=functions-00002';
  const deployment = 'functions-hpa-7d9c5b9c8-x7k2p';
  const found = lanes(
    [
      sighting(0, 'functions-hpa-7d9c5b9c8-gone1'),
      sighting(60_000, null, 5000, true),
      sighting(60_100, deployment, 30),
      sighting(60_200, knative, 7),
      sighting(60_300, deployment, 10),
      sighting(60_400, deployment, 20),
      sighting(60_500, 'a4f1c2b3d4e5'),
      sighting(60_600, null),
    ],
    60_600,
  );
  assert.equal(
    found.map(({ name, from, medianMs, sightings }) => [name, from, medianMs, sightings.length]),
    [
      ['9hvnt', 'Knative · functions-00002', 7, 1],
      ['a4f1c2b3d4e5', 'container', 5, 1],
      ['x7k2p', 'functions-hpa · 7d9c5b9c8', 20, 3],
      ['this service', 'replicas have names only in a container', 5, 1],
      ['failed', 'no answer, or a 5xx', 5000, 1],
    ],
  );
});

test.run();
