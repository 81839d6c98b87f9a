import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertValid, documentedOperations } from '../../functions/testing/conformance';
import { send, startOwnHost } from '../../functions/testing/testing';
import { openapiDocument } from './document';

test('functions/openapi.json is what npm run openapi makes', () => {
  const checkedIn = JSON.parse(readFileSync('functions/openapi.json', 'utf8'));
  assert.equal(
    checkedIn,
    JSON.parse(JSON.stringify(openapiDocument())),
    'Run npm run openapi, and commit functions/openapi.json.',
  );
});

test('it has every route that GET / lists', async () => {
  const { url, close } = await startOwnHost();
  const { routes } = (await send(url)).json;
  await close();
  assert.equal(
    documentedOperations.map(([method, path]) => `${method} ${path}`).sort(),
    ['GET /', ...routes].sort(),
  );
});

test('its examples are valid', () => {
  const examples = examplesIn(openapiDocument());
  assert.ok(examples.length > 10);
  for (const { schema, example } of examples) assertValid(schema, example);
});

test('it refers only to what it has', () => {
  const document = JSON.stringify(openapiDocument());
  for (const [, path = ''] of document.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    // biome-ignore lint/suspicious/noExplicitAny: any JSON
    const target = path.split('/').reduce((node: any, name) => node?.[name], JSON.parse(document));
    assert.ok(target, path);
  }
});

test.run();

/** Every example that stands beside its schema, at any depth. */
// biome-ignore lint/suspicious/noExplicitAny: any JSON
function examplesIn(node: any): { schema: object; example: unknown }[] {
  if (typeof node !== 'object' || node === null) return [];
  const found = Object.values(node).flatMap(examplesIn);
  return node.schema && node.example !== undefined ? [node, ...found] : found;
}
