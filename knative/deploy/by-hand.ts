import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The lines of shell by which docs/deploy.md deploys by hand, after NAMESPACE and IMAGE are set.
 * @throws Error when the section has other blocks than these
 */
export function byHand(): { deployment: string; knative: string } {
  const document = readFileSync(join(__dirname, '../../docs/deploy.md'), 'utf8');
  const section = document.split(/^## /m).find((text) => text.startsWith('By hand\n')) ?? '';
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
  const [settings, deployment, knative] = blocks;
  if (blocks.length !== 3 || !settings?.startsWith('export NAMESPACE=') || !deployment || !knative)
    throw new Error(
      '"By hand" in docs/deploy.md should have three blocks: settings, Deployment, Knative',
    );
  return { deployment, knative };
}
