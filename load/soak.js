// Soak test: constant load for a long time. Does performance stay the same?
//   RATE      5 iterations/s, in an open model: arrivals do not wait for responses
//   CLIENTS   none; a number of clients instead of a rate, in a closed model: each starts its next
//             iteration when the last one is done, which shows the highest throughput
//   DURATION  30m; mix.js has more variables
import { clientsFor, optionsFor } from './mix.js';

export { default, setup } from './mix.js';

const { RATE = '5', CLIENTS, DURATION = '30m' } = __ENV;

export const options = optionsFor(
  'soak',
  CLIENTS
    ? { executor: 'constant-vus', vus: Number(CLIENTS), duration: DURATION }
    : {
        executor: 'constant-arrival-rate',
        rate: Number(RATE),
        duration: DURATION,
        ...clientsFor(Number(RATE)),
      },
);
