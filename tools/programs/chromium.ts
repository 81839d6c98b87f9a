import { onPath } from './program-cache';

/** What to install where there is no Chromium. */
export const installChromium = 'Chromium (on Debian: apt-get install chromium)';

/** @returns the path of a Chromium or Chrome on the PATH */
export function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return names.map(onPath).find(Boolean);
}
