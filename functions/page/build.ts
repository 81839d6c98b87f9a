import { mkdirSync, writeFileSync } from 'node:fs';
import { renderPage } from './render';

/** `npm run build:page`: renders the page into a module of its own, which page.ts loads when it is asked for. */
mkdirSync('dist', { recursive: true });
writeFileSync('dist/built-page.js', `module.exports = ${JSON.stringify(renderPage())};\n`);
