// Spike test: a multiple of the load within seconds, and back. Open model: arrivals do not wait for
// responses.
//   RATE, PEAK                         10 and 50 iterations/s
//   WARM_UP, RISE, HOLD, FALL, QUIET   10s, 3s, 20s, 3s, 10s; mix.js has more variables
import { clientsFor, optionsFor } from './mix.js';

export { default, setup } from './mix.js';

const { RATE = '10', PEAK = '50' } = __ENV;
const { WARM_UP = '10s', RISE = '3s', HOLD = '20s', FALL = '3s', QUIET = '10s' } = __ENV;

const base = Number(RATE);
const peak = Number(PEAK);

export const options = optionsFor('spike', {
  executor: 'ramping-arrival-rate',
  startRate: base,
  stages: [
    { target: base, duration: WARM_UP },
    { target: peak, duration: RISE },
    { target: peak, duration: HOLD },
    { target: base, duration: FALL },
    { target: base, duration: QUIET },
  ],
  ...clientsFor(peak),
});
