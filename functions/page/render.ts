import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { name } from '../../package.json';

/** The page, and the Content-Security-Policy under which it works. */
export interface Page {
  html: string;
  policy: string;
}

/** From the repository's root, as `npm run dev` runs this from a bundle elsewhere. */
const folder = join('functions', 'page');

/** Puts page.html, page.css and client/ together into one file that loads nothing. */
export function renderPage(): Page {
  const style = bundle('page.css');
  const script = bundle('client/main.ts');
  const html = readFileSync(join(folder, 'page.html'), 'utf8')
    .replaceAll('NAME', name)
    .replace(/\n +</g, '\n<')
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`);
  const policy = [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    "connect-src 'self'",
    'img-src data:', // the icon
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return { html, policy: policy.join('; ') };
}

function bundle(entry: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(folder, entry)],
    bundle: true,
    minify: true,
    write: false,
    target: ['es2023', 'chrome120', 'firefox121', 'safari17'],
    logLevel: 'warning',
  });
  return outputFiles[0]?.text.trim() ?? '';
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
