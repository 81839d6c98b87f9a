// A steady load for DURATION: VUS clients that ask as fast as they are answered, or RATE iterations a
// second. Each iteration asks for the time, TIMES times, posts a document and reads it back.
//   BASE_URL   http://localhost:8080
//   HOST       the Host header, for a Knative route behind an ingress that is reached by address
import { check } from 'k6';
import http from 'k6/http';

const { BASE_URL = 'http://localhost:8080', HOST, VUS, RATE = '20' } = __ENV;
const { TIMES = '1', DURATION = '10s' } = __ENV;

export const options = {
  scenarios: {
    steady: VUS
      ? { executor: 'constant-vus', vus: Number(VUS), duration: DURATION }
      : {
          executor: 'constant-arrival-rate',
          rate: Number(RATE),
          duration: DURATION,
          preAllocatedVUs: 50,
          maxVUs: 200,
        },
  },
  thresholds: { http_req_failed: ['rate==0'], checks: ['rate==1'] },
};

const headers = { 'Content-Type': 'application/json', ...(HOST && { Host: HOST }) };

export default function () {
  for (let n = 0; n < Number(TIMES); n++) {
    const time = http.get(`${BASE_URL}/time`, { headers });
    check(time, { 'time: 200': ({ status }) => status === 200 });
  }

  const data = { client: __VU, iteration: __ITER };
  const posted = http.post(`${BASE_URL}/data`, JSON.stringify(data), { headers });
  if (!check(posted, { 'post: 201': ({ status }) => status === 201 })) return;

  const read = http.get(`${BASE_URL}${posted.headers.Location}`, {
    headers,
    tags: { name: 'read' },
  });
  check(read, {
    'read: what was posted': ({ status }) =>
      status === 200 && read.json('data.iteration') === data.iteration,
  });
}
