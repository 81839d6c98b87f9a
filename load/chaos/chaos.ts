import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { exitAfter } from '../common/exit';
import { chaosReport } from './chaos-report';
import { runChaos } from './run';
import { makeSchedule } from './schedule';

/** `npm run chaos`: exits with 1 when the service broke a promise, with 2 when the run itself failed. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      json: { type: 'string' },
      keys: { type: 'boolean', default: true },
    },
    allowNegative: true,
  });
  const seed = wholeNumber('--seed', values.seed ?? `${Math.floor(Math.random() * 2 ** 32)}`);
  const seconds = wholeNumber('--seconds', values.seconds);
  const { keys } = values;
  console.log(`npm run chaos -- --seed ${seed} --seconds ${seconds}${keys ? '' : ' --no-keys'}\n`);
  const result = await runChaos({ schedule: makeSchedule(seed, seconds), keys, log: console.log });
  console.log(`\n${chaosReport(result)}`);
  if (values.json) {
    writeFileSync(values.json, `${JSON.stringify({ seed, seconds, ...result }, undefined, 2)}\n`);
  }
  return result.failures.length > 0 ? 1 : 0;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name} must be a whole number`);
  return Number(text);
}

// exiting kills what the run started
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => process.exit(2));

exitAfter(main(), 2);
