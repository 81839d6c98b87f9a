import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../config';
import { send } from '../testing/testing';
import { Problem } from './problem';
import { noParameters } from './query';
import { sendJson } from './respond';
import { operation, type Resource, router, routesOf } from './router';
import { serve } from './server';

/** Serves a table of resources while `use` runs. */
async function withRouter(
  resources: Record<string, Resource>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const config = parseConfig({ MONGO_HOST: 'nowhere', LOG_REQUESTS: 'false' });
  const server = await serve(router(resources), { ...config, port: 0 }, { draining: false });
  try {
    await use(`http://127.0.0.1:${server.port}`);
  } finally {
    await server.drain(0, 0);
  }
}

test('an unexpected error is a 500 without internals', async () => {
  const resources = {
    '/thrown': {
      GET: operation(noParameters, () => {
        throw new Error('s3cret');
      }),
    },
    '/rejected': { GET: operation(noParameters, () => Promise.reject('s3cret')) },
  };
  await withRouter(resources, async (url) => {
    for (const path of ['/thrown', '/rejected']) {
      const { status, headers, json, text } = await send(`${url}${path}`);
      assert.is(status, 500);
      assert.is(headers.get('content-type'), 'application/problem+json');
      assert.is(json.type, 'urn:problem-type:internal');
      assert.not.match(text, 's3cret');
    }
  });
});

const tellMethod = operation(noParameters, ({ req, res }) => sendJson(res, 200, req.method));

test('a resource can have any method', async () => {
  const methods = ['PUT', 'PATCH', 'DELETE', 'PROPFIND'];
  const resource = Object.fromEntries(methods.map((method) => [method, tellMethod]));
  await withRouter({ '/a': resource }, async (url) => {
    for (const method of methods) {
      const { status, json } = await send(`${url}/a`, { method });
      assert.is(status, 200);
      assert.is(json, method);
    }
    for (const method of ['GET', 'HEAD', 'POST']) {
      const { status, headers } = await send(`${url}/a`, { method });
      assert.is(status, 405);
      assert.is(headers.get('allow'), 'PUT, PATCH, DELETE, PROPFIND, OPTIONS');
    }
    const { status, headers } = await send(`${url}/a`, { method: 'OPTIONS' });
    assert.is(status, 204);
    assert.is(headers.get('allow'), 'PUT, PATCH, DELETE, PROPFIND, OPTIONS');
  });
});

test('HEAD is answered as GET, unless it is an operation of its own', async () => {
  const own = operation(noParameters, ({ res }) => {
    res.writeHead(200, { 'X-Own': 'yes' }).end();
  });
  const resources = { '/a': { GET: tellMethod }, '/b': { GET: tellMethod, HEAD: own } };
  await withRouter(resources, async (url) => {
    for (const [path, isOwn] of [
      ['/a', null],
      ['/b', 'yes'],
    ]) {
      const { status, headers } = await send(`${url}${path}`, { method: 'HEAD' });
      assert.is(status, 200);
      assert.is(headers.get('x-own'), isOwn);
      assert.is(
        (await send(`${url}${path}`, { method: 'OPTIONS' })).headers.get('allow'),
        'GET, HEAD, OPTIONS',
      );
    }
  });
});

test('a handler can throw a problem of a type of its own', async () => {
  const resource = {
    GET: operation(noParameters, () => {
      throw new Problem('out-of-tea', 'There is coffee.', { status: 418 });
    }),
  };
  await withRouter({ '/tea': resource }, async (url) => {
    const { status, json } = await send(`${url}/tea`);
    assert.is(status, 418);
    assert.equal(json, {
      type: 'urn:problem-type:out-of-tea',
      title: "I'm a Teapot",
      status: 418,
      detail: 'There is coffee.',
    });
  });
});

test('the routes of a table are listed', () => {
  const resources = {
    '/a': { GET: tellMethod, PUT: tellMethod },
    '/a/:b/c/:d': { DELETE: tellMethod },
  };
  assert.equal(routesOf(resources), ['GET /a', 'PUT /a', 'DELETE /a/{b}/c/{d}']);
});

test.run();
