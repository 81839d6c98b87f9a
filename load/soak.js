// The same load for long: does it stay as it was?
//   RATE       5 iterations a second, whether they are answered or not
//   CLIENTS    instead: so many that ask again when they were answered, to see how much is answered
//   DURATION   30m; the others are in mix.js
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
