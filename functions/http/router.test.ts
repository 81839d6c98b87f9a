import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../config';
import { send } from '../testing/testing';
import { noParameters } from './query';
import { operation, router } from './router';
import { serve } from './server';

test('an unexpected error is a 500 without internals', async () => {
  const handler = router({
    '/thrown': {
      GET: operation(noParameters, () => {
        throw new Error('s3cret');
      }),
    },
    '/rejected': { GET: operation(noParameters, () => Promise.reject('s3cret')) },
  });
  const config = parseConfig({ MONGO_HOST: 'nowhere' });
  const server = await serve(
    handler,
    { ...config, port: 0, logRequests: false },
    { draining: false },
  );
  try {
    for (const path of ['/thrown', '/rejected']) {
      const { status, headers, json, text } = await send(`http://127.0.0.1:${server.port}${path}`);
      assert.is(status, 500);
      assert.is(headers.get('content-type'), 'application/problem+json');
      assert.is(json.type, 'urn:problem-type:internal');
      assert.not.match(text, 's3cret');
    }
  } finally {
    await server.drain(0, 0);
  }
});

test.run();
