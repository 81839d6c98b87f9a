// What the load scripts share: who is asked, what is asked of them, and what is a failure.
//   BASE_URL     http://localhost:8080
//   HOST         the Host header, for a Knative route behind an ingress that is reached by address
//   MIX          17:2:1; of 20 iterations 17 ask for the time in Tokyo, two post and read it back,
//                one lists ten
//   FAILED_RATE  0.01; the part of the requests and of the checks that may fail
//   P95_MS       500; of each route, and no iteration is dropped; 0: as slow as it likes
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';

const { BASE_URL = 'http://localhost:8080', HOST, MIX = '17:2:1' } = __ENV;
const { FAILED_RATE = '0.01', P95_MS = '500' } = __ENV;

const routes = ['GET /time', 'POST /data', 'GET /data/:id', 'GET /data'];
const headers = { 'Content-Type': 'application/json', ...(HOST && { Host: HOST }) };
const named = (name) => ({ headers, tags: { name } });

const inTime = {
  ...Object.fromEntries(
    routes.map((name) => [`http_req_duration{name:${name}}`, [`p(95)<${P95_MS}`]]),
  ),
  dropped_iterations: ['count==0'],
};

/** The options of a script with this one scenario. */
export const optionsFor = (name, scenario) => ({
  scenarios: { [name]: scenario },
  thresholds: {
    http_req_failed: [`rate<=${FAILED_RATE}`],
    checks: [`rate>=${1 - FAILED_RATE}`],
    ...(P95_MS !== '0' && inTime),
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
});

/** Clients for so many iterations a second, when each takes up to two seconds. */
export const clientsFor = (rate) => {
  const vus = Number(__ENV.VUS ?? Math.max(10, 2 * rate));
  return { preAllocatedVUs: vus, maxVUs: vus };
};

export function setup() {
  const { status, error } = http.get(`${BASE_URL}/readyz`, named('setup'));
  if (status === 200) return;
  const answer = status ? `answers ${status} to /readyz` : `does not answer (${error})`;
  const mend = HOST
    ? `See whether the route ${HOST} is ready.`
    : 'Start it (npm start), or set BASE_URL, and HOST behind an ingress.';
  exec.test.abort(`The service at ${BASE_URL} ${answer}. ${mend}`);
}

const [times, posts, lists] = MIX.split(':').map(Number);

/** One iteration. They take turns, so that the mix is the same in every run. */
export default function () {
  const iteration = exec.scenario.iterationInTest;
  const turn = iteration % (times + posts + lists);
  if (turn < times) time();
  else if (turn < times + posts) postAndRead(iteration);
  else list();
}

function time() {
  const answer = http.get(`${BASE_URL}/time?tz=Asia/Tokyo`, named('GET /time'));
  check(answer, {
    'the time is told': ({ status }) => status === 200 && answer.json('epochMs') > 0,
  });
}

function postAndRead(iteration) {
  const data = { test: 'load', iteration, lines: [{ article: 'tea', count: 2 }], note: 'zwölf €' };
  const posted = http.post(`${BASE_URL}/data`, JSON.stringify(data), named('POST /data'));
  if (!check(posted, { 'a post is stored': ({ status }) => status === 201 })) return;

  const read = http.get(`${BASE_URL}${posted.headers.Location}`, named('GET /data/:id'));
  check(read, {
    'what was posted is read': ({ status }) =>
      status === 200 && JSON.stringify(JSON.parse(read.body).data) === JSON.stringify(data),
  });
}

function list() {
  const answer = http.get(`${BASE_URL}/data?limit=10`, named('GET /data'));
  check(answer, {
    'documents are listed': ({ status }) => status === 200 && answer.json('items').length <= 10,
  });
}
