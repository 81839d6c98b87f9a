import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { perSecond, readCsv } from './k6-samples';

test("k6's CSV is aggregated by second", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'measures-test-'));
  const file = join(folder, 'samples.csv');
  writeFileSync(
    file,
    `metric_name,timestamp,metric_value,expected_response,name,group,extra_tags,metadata
http_req_duration,1100,10.000000,true,setup,::setup,,
http_req_blocked,1100,5.000000,true,setup,::setup,,
iteration_duration,1100,11.000000,,,::setup,,
http_reqs,1500,1.000000,true,GET /time,,,
http_req_duration,1500,350.000000,true,GET /time,,,
http_req_blocked,1500,50.000000,true,GET /time,,,
iteration_duration,1501,401.000000,,,,,
http_req_duration,2300,200.000000,false,POST /data,,,
http_req_duration,3100,600.000000,true,GET /data,,,
dropped_iterations,2700,1.000000,,,,,
`,
  );
  const samples = await readCsv(file);
  rmSync(folder, { recursive: true });
  assert.equal(samples.iterations, [1100]);
  assert.equal(samples.requests[0], { start: 1100, duration: 400, answered: true });
  assert.equal(perSecond(samples, 1000, 2), [
    { arrivals: 1, failed: 0, dropped: 0, p50: 400, p95: 400, p99: 400 },
    { arrivals: 2, failed: 1, dropped: 1, p50: 600, p95: 600, p99: 600 },
  ]);
});

test.run();
