import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runK6 } from './k6';
import { csvSettings, type K6Samples, readCsv } from './k6-samples';

/**
 * Runs a k6 script of load/ and returns its samples. Failed requests are part of them and don't fail the
 * run.
 *
 * @param env the settings of the script
 * @throws Error with k6's output when the script does not run to its end
 */
export async function sample(
  k6: string,
  script: string,
  env: NodeJS.ProcessEnv,
): Promise<K6Samples> {
  const folder = mkdtempSync(join(tmpdir(), 'k6-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  try {
    const csv = join(folder, 'samples.csv');
    const settings = { ...env, ...csvSettings, P95_MS: '0', FAILED_RATE: '1' };
    const { code, output } = await runK6(k6, script, settings, ['--out', `csv=${csv}`]);
    if (code !== 0) throw new Error(`k6 exited with ${code}: ${output}`);
    return await readCsv(csv);
  } finally {
    process.off('exit', clean);
    clean();
  }
}
