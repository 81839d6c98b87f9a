import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from './comparison';
import { isComplete } from './rounds';

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

/** Keeps the last experiment, if it is complete, when another begins. */
export async function keepLast(): Promise<void> {
  const last = await readIfAny(lastFile);
  if (last && isComplete(last)) await rename(lastFile, earlierFile);
}

/** Reads the last experiment and the one before it, in the order in which a report shows them. */
export async function readExperiments(): Promise<[Comparison, Comparison?]> {
  return inOrder(await readLast(), await readIfAny(earlierFile));
}

/**
 * The experiment that a report shows first, and the one that it is compared with. The last one is first
 * unless the one before it had more runs. They are compared only if their setup was the same, apart from
 * the version of this service and the peaks of the spikes.
 */
export function inOrder(last: Comparison, earlier?: Comparison): [Comparison, Comparison?] {
  if (!earlier || setupOf(earlier) !== setupOf(last)) return [last];
  return earlier.runs.length > last.runs.length ? [earlier, last] : [last, earlier];
}

/** All but the version of this service, the peaks, and the number and the order of the runs. */
const setupOf = ({ k6, setup, settings: { cpu, peersImage }, loads, subjects }: Comparison) =>
  JSON.stringify({
    ...{ k6, subjects, cpu, peersImage },
    setup: { ...setup, image: undefined },
    loads: loads.map((load) => ({ ...load, peak: undefined })),
  });

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
