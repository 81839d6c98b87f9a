import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from './comparison';

/** Where the results and what is made of them are. */
export const folder = join(__dirname, 'report');
const lastFile = join(folder, 'runs.json');
const earlierFile = join(folder, 'earlier.json');

/** Reads the last experiment, which may be incomplete. @throws ENOENT if there is none */
export const readLast = (): Promise<Comparison> => read(lastFile);

export async function writeLast(comparison: Comparison): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(lastFile, `${JSON.stringify(comparison)}\n`);
}

/** Keeps the last experiment, if it is complete, for the report of the next one to compare with. */
export async function keepLast(): Promise<void> {
  const last = await readIfAny(lastFile);
  if (last && isComplete(last)) await rename(lastFile, earlierFile);
}

/** Reads the experiment before this one, if it had the same setup. */
export async function readEarlier(comparison: Comparison): Promise<Comparison | undefined> {
  const earlier = await readIfAny(earlierFile);
  return earlier && setupOf(earlier) === setupOf(comparison) ? earlier : undefined;
}

const isComplete = ({ runs, loads, subjects, settings }: Comparison) =>
  runs.length === settings.rounds * loads.length * subjects.length;

/** All but the number and the order of the runs. */
const setupOf = ({ k6, setup, settings, loads, subjects }: Comparison) =>
  JSON.stringify({ k6, setup, loads, subjects, cpu: settings.cpu, peers: settings.peersImage });

async function read(file: string): Promise<Comparison> {
  return JSON.parse(await readFile(file, 'utf8'));
}

async function readIfAny(file: string): Promise<Comparison | undefined> {
  try {
    return await read(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
