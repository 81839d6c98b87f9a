// Smoke test: a few seconds of each request. Does it work at all?
//   RATE      5 iterations/s
//   DURATION  5s; mix.js has more variables
import { clientsFor, optionsFor } from './mix.js';

export { default, setup } from './mix.js';

const { RATE = '5', DURATION = '5s' } = __ENV;

export const options = optionsFor('smoke', {
  executor: 'constant-arrival-rate',
  rate: Number(RATE),
  duration: DURATION,
  ...clientsFor(Number(RATE)),
});
