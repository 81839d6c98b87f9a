import { addToCache } from '../programs/program-cache';
import { type Report, runTool } from '../programs/run-tool';

export const mongodVersion = '8.0.17';

// Runs in a process of its own, which can be killed and whose output stays out of ours.
const script = `
  const [library, version, downloadDir, target] = process.argv.slice(1);
  require(library)
    .MongoBinary.getPath({ version, downloadDir })
    .then((found) => require('node:fs').copyFileSync(found, target))
    .catch((error) => { console.error(error.message); process.exitCode = 1; });
`;

/**
 * Downloads mongod and adds it to the cache.
 *
 * @param name in the cache
 * @returns its path
 * @throws {Error} when the download fails, has not begun after 20 s or takes more than 15 minutes
 */
export function downloadMongod(name: string, report: Report): Promise<string> {
  return addToCache(name, async (path) => {
    report(`downloading mongod ${mongodVersion}, once`);
    const library = require.resolve('mongodb-memory-server-core');
    await runTool({
      title: 'downloading mongod',
      command: process.execPath,
      args: ['-e', script, library, mongodVersion, `${path}.download`, path],
      // Without this the library does not check the server's certificate.
      env: { ...process.env, npm_config_strict_ssl: 'true' },
      outputTimeout: 20,
      timeout: 900,
      report,
    });
  });
}
