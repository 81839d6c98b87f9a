// A few seconds of each request: does it work at all?
//   RATE, DURATION   5 iterations a second for 5s; the others are in mix.js
import { clientsFor, optionsFor } from './mix.js';

export { default, setup } from './mix.js';

const { RATE = '5', DURATION = '5s' } = __ENV;

export const options = optionsFor('smoke', {
  executor: 'constant-arrival-rate',
  rate: Number(RATE),
  duration: DURATION,
  ...clientsFor(Number(RATE)),
});
