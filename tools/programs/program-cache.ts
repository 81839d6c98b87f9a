import { accessSync, constants, rmSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** The user's folder for programs that were downloaded or built, kept between runs. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME: xdg } = process.env;
  const home = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  const base = xdg && isAbsolute(xdg) ? xdg : join(homedir(), home);
  return join(base, 'functions-on-knative');
}

/** @returns the path, if it is an executable file */
function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the path of a program in the first folder of the PATH that has it */
export function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => executable(resolve(folder, name))).find(Boolean);
}

/** @returns the path of a program in the cache, if it is there */
export function cached(name: string): string | undefined {
  return executable(join(cacheFolder(), name));
}

/**
 * Creates a program in a temporary folder and moves it into the cache. The move is atomic, so that
 * several processes can do this at once.
 *
 * @param create creates the program at the path it is given, which is in an empty folder
 * @returns the program's path in the cache
 * @throws what `create` throws; nothing is left behind
 */
export async function addToCache(
  name: string,
  create: (path: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheFolder(), name);
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), 'new-'));
  const clean = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', clean);
  try {
    await create(join(folder, name));
    await rename(join(folder, name), target);
    return target;
  } finally {
    process.off('exit', clean);
    clean();
  }
}
