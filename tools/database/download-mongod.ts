import { addToCache } from '../programs/program-cache';
import { type Say, work } from '../programs/run-tool';

export const mongodVersion = '8.0.17';

// A process of its own: it can be ended, and what it prints is not in the way.
const script = `
  const [library, version, downloadDir, target] = process.argv.slice(1);
  require(library)
    .MongoBinary.getPath({ version, downloadDir })
    .then((found) => require('node:fs').copyFileSync(found, target))
    .catch((error) => { console.error(error.message); process.exitCode = 1; });
`;

/**
 * Downloads mongod into the cache, under the name given.
 * @returns its path
 * @throws Error when nothing arrives in 20 s, or not all of it in 15 min
 */
export function downloadMongod(name: string, say: Say): Promise<string> {
  return addToCache(name, async (path) => {
    say(`downloading mongod ${mongodVersion}, this once`);
    const library = require.resolve('mongodb-memory-server-core');
    await work({
      title: 'download of mongod',
      command: process.execPath,
      args: ['-e', script, library, mongodVersion, `${path}.download`, path],
      // Without this the library does not check the server's certificate.
      env: { ...process.env, npm_config_strict_ssl: 'true' },
      firstOutput: 20,
      limit: 900,
      say,
    });
  });
}
