import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { killProcesses, send, startProcess } from '../testing/testing';

test.after.each(killProcesses);

for (const [env, expected] of [
  [{ HOSTNAME: '', K_REVISION: '' }, null],
  [{ HOSTNAME: 'functions-hpa-7d9c5b9c8-x7k2p', K_REVISION: '' }, 'functions-hpa-7d9c5b9c8-x7k2p'],
  [
    { HOSTNAME: 'functions-00002-deployment-6c8f7d9b5-9hvnt', K_REVISION: 'functions-00002' },
    'functions-00002-deployment-6c8f7d9b5-9hvnt; revision=functions-00002',
  ],
  [{ HOSTNAME: 'not a\nname', K_REVISION: '' }, null],
] as const) {
  test(`X-Served-By is ${expected} with ${JSON.stringify(env)}`, async () => {
    const { url } = await startProcess(env);
    for (const path of ['/time', '/nothing']) {
      assert.is((await send(`${url}${path}`)).headers.get('x-served-by'), expected);
    }
  });
}

test.run();
