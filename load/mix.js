// What the k6 scripts share: the target, the mix of requests and the thresholds. Variables, with their
// defaults:
//   BASE_URL     http://localhost:8080
//   HOST         none; the Host header, for a Knative route behind an ingress
//   MIX          17:2:1; of 20 iterations 17 get the time in Tokyo, 2 post a document and read it back,
//                1 lists ten documents
//   TIME_PATH, DATA_PATH, READY_PATH
//                /time, /data and /readyz; for other software that does the same
//   FAILED_RATE  0.01; the highest share of failed requests, and of failed checks
//   P95_MS       500; the highest p95 of each route, and no dropped iterations; 0 turns both off
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';

const { BASE_URL = 'http://localhost:8080', HOST, MIX = '17:2:1' } = __ENV;
const { TIME_PATH = '/time', DATA_PATH = '/data', READY_PATH = '/readyz' } = __ENV;
const { FAILED_RATE = '0.01', P95_MS = '500' } = __ENV;

const routes = ['GET /time', 'POST /data', 'GET /data/:id', 'GET /data'];
const headers = { 'Content-Type': 'application/json', ...(HOST && { Host: HOST }) };
const withName = (name) => ({ headers, tags: { name } });

const latencyThresholds = {
  ...Object.fromEntries(
    routes.map((name) => [`http_req_duration{name:${name}}`, [`p(95)<${P95_MS}`]]),
  ),
  dropped_iterations: ['count==0'],
};

/** The options of a script with a single scenario. */
export const optionsFor = (name, scenario) => ({
  scenarios: { [name]: scenario },
  thresholds: {
    http_req_failed: [`rate<=${FAILED_RATE}`],
    checks: [`rate>=${1 - FAILED_RATE}`],
    ...(P95_MS !== '0' && latencyThresholds),
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
});

const withQuery = (path, query) => `${BASE_URL}${path}${path.includes('?') ? '&' : '?'}${query}`;

/** VUs for a rate of iterations per second: enough while an iteration takes up to two seconds. */
export const clientsFor = (rate) => {
  const vus = Number(__ENV.VUS ?? Math.max(10, 2 * rate));
  return { preAllocatedVUs: vus, maxVUs: Number(__ENV.MAX_VUS ?? vus) };
};

export function setup() {
  const { status, error } = http.get(BASE_URL + READY_PATH, withName('setup'));
  if (status === 200) return;
  const problem = status ? `responds ${status} to ${READY_PATH}` : `does not answer (${error})`;
  const advice = HOST
    ? `Check that the route ${HOST} is ready.`
    : 'Start it (npm start), or set BASE_URL, and HOST behind an ingress.';
  exec.test.abort(`The service at ${BASE_URL} ${problem}. ${advice}`);
}

const [times, posts, lists] = MIX.split(':').map(Number);

/** One iteration. Their order is fixed, so that every run has the same mix. */
export default function () {
  const iteration = exec.scenario.iterationInTest;
  const turn = iteration % (times + posts + lists);
  if (turn < times) getTime();
  else if (turn < times + posts) postAndRead(iteration);
  else list();
}

function getTime() {
  const response = http.get(withQuery(TIME_PATH, 'tz=Asia/Tokyo'), withName('GET /time'));
  check(response, {
    'the time is returned': ({ status }) => status === 200 && response.json('epochMs') > 0,
  });
}

function postAndRead(iteration) {
  const data = { test: 'load', iteration, lines: [{ article: 'tea', count: 2 }], note: 'zwölf €' };
  const posted = http.post(BASE_URL + DATA_PATH, JSON.stringify(data), withName('POST /data'));
  if (!check(posted, { 'a post is stored': ({ status }) => status === 201 })) return;

  const read = http.get(`${BASE_URL}${posted.headers.Location}`, withName('GET /data/:id'));
  check(read, {
    'what was posted is read': ({ status }) =>
      status === 200 && JSON.stringify(JSON.parse(read.body).data) === JSON.stringify(data),
  });
}

function list() {
  const response = http.get(withQuery(DATA_PATH, 'limit=10'), withName('GET /data'));
  check(response, {
    'documents are listed': ({ status }) => status === 200 && response.json('items').length <= 10,
  });
}
