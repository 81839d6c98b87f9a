import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './commands';

/**
 * Runs the lines of shell in a section of a document in `docs/`, as its reader would.
 *
 * @returns their output
 * @throws Error when one of them fails, or there are none
 */
export function runDocumented(document: string, section: string): Promise<string> {
  const text = readFileSync(join(__dirname, '../../docs', document), 'utf8');
  const content = text.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const lines = [...content.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('');
  if (!lines) throw new Error(`docs/${document} has no lines of shell in "${section}"`);
  return run('bash', '-euxo', 'pipefail', '-c', lines);
}
