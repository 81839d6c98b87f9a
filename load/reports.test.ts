import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findChromium, installChromium } from '../tools/programs/chromium';
import { suiteThatNeeds } from '../tools/uvu';
import { benchChart } from './bench/bench-report';
import { coldStartChart } from './bench/cold-report';
import { barChart } from './common/charts/bar-chart';
import { compareReport } from './compare/compare-report';
import { comparePicture } from './compare/picture';
import { readExperiments } from './compare/results';
import { growthMarkdown } from './growth/growth-markdown';
import { growthPage } from './growth/growth-page';
import { tuneReport } from './tune/tune-report';

// The reports that are checked in.

const read = (name: string) => readFileSync(join(__dirname, name), 'utf8');
const data = (name: string) => JSON.parse(read(name));
const pages = ['compare/report/index.html', 'tune/report/tune.html', 'growth/report/index.html'];
const pictures = ['compare/report/picture.svg', 'bench/report/bench.svg', 'bench/report/cold.svg'];

const files = suite('reports');

files('they are what is made from their data', async () => {
  const [comparison, other] = await readExperiments();
  const growth = data('growth/report/growth.json');
  const made = {
    'compare/report/index.html': compareReport(comparison, other),
    'compare/report/picture.svg': comparePicture(comparison),
    'tune/report/tune.html': tuneReport(data('tune/report/tune.json')),
    'growth/report/index.html': growthPage(growth),
    '../docs/growth.md': growthMarkdown(growth),
    'bench/report/bench.svg': barChart(benchChart(data('bench/report/bench.json'))),
    'bench/report/cold.svg': barChart(coldStartChart(data('bench/report/cold.json'))),
  };
  for (const [name, content] of Object.entries(made)) assert.ok(read(name) === content, name);
});

files('they have no dash for a missing value, and no JSON to read', () => {
  for (const name of [...pages, ...pictures]) {
    const shown = read(name).replace(/<(script|style)>.*?<\/\1>|<[^>]*>/gs, '\n');
    assert.not.match(shown, /^\W*[–-]\W*$/m, name);
    assert.not.match(shown, /NaN|undefined|null|\{/, name);
  }
});

files.run();

const executablePath = findChromium();
const test = suiteThatNeeds(
  executablePath ? undefined : installChromium,
  'the reports in a browser',
  true,
);
let browser: Browser;

test.before(async () => {
  if (!executablePath) throw new Error(`Install ${installChromium}.`);
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

test.after(async () => {
  await browser?.close();
});

/** Runs what `check` checks, then fails if the page had an error. */
async function open(
  options: BrowserContextOptions,
  html: string,
  check: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const errors: string[] = [];
    await context.addInitScript(axe.source);
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => errors.push(message.text()));
    await page.goto('about:blank'); // where the script of axe is added
    await page.setContent(html);
    await check(page);
    assert.equal(errors, []);
  } finally {
    await context.close();
  }
}

for (const name of pages) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing in ${name}, and it scrolls down only: ${colorScheme}`, async () => {
      await open({ colorScheme }, read(name), async (page) => {
        for (const width of [1400, 800, 320]) {
          await page.setViewportSize({ width, height: 800 });
          assert.is(await page.evaluate(() => document.documentElement.scrollWidth), width);
        }
        const { violations } = await page.evaluate(() =>
          (window as unknown as { axe: typeof axe }).axe.run(),
        );
        assert.equal(
          violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
        );
      });
    });
  }
}

test('the comparison shows one load at a time, and the values under the cursor', async () => {
  const viewport = { width: 800, height: 800 };
  await open({ viewport }, read('compare/report/index.html'), async (page) => {
    const shown = () => page.locator('.view:visible h3').allTextContents();
    assert.equal(await shown(), ['CPU-bound']);
    await page.getByRole('radio', { name: 'Waiting' }).focus();
    await page.keyboard.press('Space');
    assert.equal(await shown(), ['Waiting']);
    const view = page.locator('.view:visible');
    const [replicas] = await view.locator('figure', { hasText: 'occupying' }).all();
    const readout = () => replicas?.locator('.readout').textContent();
    await view.getByRole('slider').focus();
    await page.keyboard.press('Home');
    assert.is(await readout(), 'ready 2 · desired 2 · occupying a node 2');
    await replicas?.locator('.plot').hover();
    assert.match((await readout()) ?? '', /^ready \d · /);
    assert.is(await view.locator('output').textContent(), '21 s');
  });
});

for (const name of pictures) {
  test(`${name} is transparent, and readable on light and dark`, async () => {
    const colors = { light: [27, 31, 36], dark: [230, 234, 239] };
    for (const colorScheme of ['light', 'dark'] as const) {
      const source = `data:image/svg+xml;base64,${Buffer.from(read(name)).toString('base64')}`;
      const html = `<!doctype html><img alt="" src="${source}">`;
      await open({ colorScheme }, html, async (page) => {
        const { corner, ink } = await page.evaluate(async (color) => {
          const image = document.images[0] as HTMLImageElement;
          await image.decode();
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
          const context = canvas.getContext('2d') as CanvasRenderingContext2D;
          context.drawImage(image, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          let ink = 0;
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] === 255 && color.every((value, k) => data[i + k] === value)) ink++;
          }
          return { corner: data[data.length - 1], ink };
        }, colors[colorScheme]);
        assert.is(corner, 0);
        assert.ok(ink > 100, `${colorScheme}: ${ink} pixels of text`);
      });
    }
  });
}

test.run();
