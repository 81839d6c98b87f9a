import * as assert from 'uvu/assert';
import { kubectl, run } from './commands';
import { podsOf } from './pods';
import { sendRequest, type Variant, variants } from './variants';

/**
 * Deploys both variants with authentication by service account tokens and by API keys, calls them, and
 * deploys them without again.
 *
 * @returns a line for the table of results
 */
export async function callersNeedToken(): Promise<string> {
  const { key, line } = await createKey('time:read');
  await kubectl('create', 'secret', 'generic', 'api-keys', `--from-literal=keys=${line}`);
  await kubectl('create', 'serviceaccount', 'caller');
  const token = await tokenFor('functions');
  const otherToken = await tokenFor('other');

  await deployWith('knative/auth', 'knative/api-keys');
  for (const variant of variants) {
    await refuses(401, variant, '/time');
    await refuses(401, variant, '/time', otherToken);
    await refuses(401, variant, '/time', `${key.slice(0, -4)}wxyz`);
    await refuses(403, variant, '/data', key);
    await sendRequest(variant, '/time', undefined, key);
    const { id } = await sendRequest(variant, '/data', { by: variant.name }, token);
    for (const other of variants) await sendRequest(other, `/data/${id}`, undefined, token);
  }

  await deployWith();
  for (const variant of variants) await sendRequest(variant, '/time');
  return 'accepted: a service account for the audience, an API key for its scope';
}

/** Deploys both variants with more components, and waits until their old replicas are gone. */
async function deployWith(...components: string[]): Promise<void> {
  const oldPods = (await Promise.all(variants.map(podsOf))).flat();
  const all = [process.env.COMPONENTS ?? '', ...components].join(' ');
  await run('env', 'ALLOW_OPEN=true', `COMPONENTS=${all}`, 'knative/deploy/deploy.sh');
  await kubectl('wait', '--for', 'delete', ...oldPods, '--timeout', '180s');
}

async function createKey(scope: string): Promise<{ key: string; line: string }> {
  const output = await run('sh', '-c', `npm run --silent key -- e2e ${scope} 2>&1`);
  const [key] = /fk_e2e_[\w-]+/.exec(output) ?? [];
  const [line] = /^e2e sha256:.*$/m.exec(output) ?? [];
  if (!key || !line) throw new Error(`npm run key printed: ${output}`);
  return { key, line };
}

async function tokenFor(audience: string): Promise<string> {
  return (await kubectl('create', 'token', 'caller', '--audience', audience)).trim();
}

async function refuses(status: number, variant: Variant, path: string, token?: string) {
  const outcome = await sendRequest(variant, path, undefined, token).then(
    () => 'accepted',
    ({ message }: Error) => message,
  );
  assert.match(outcome, `returned error: ${status}`);
}
