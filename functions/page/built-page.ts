import { renderPage } from './render';

// The build replaces this module by its result, dist/built-page.js (see build.ts).

export const { html, policy } = renderPage();
