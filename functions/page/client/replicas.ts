import { byId, element, setText } from './dom';
import { type Lane, lanes, type Sighting, windowMs } from './replica-lanes';

let sightings: Sighting[] = [];

/** A replica that has not answered for so long is shown as quiet, in ms. */
const quietMs = 10_000;

/** Width and height of a strip, in its own units. */
const width = 600;
const height = 32;

const rows = new Map<string, ReturnType<typeof createRow>>();

/** Adds an answer to the strip of its replica. */
export function addSighting(sighting: Sighting): void {
  sightings = sightings.filter(({ at }) => sighting.at - at < windowMs);
  sightings.push(sighting);
  showReplicas();
}

function showReplicas(): void {
  const now = performance.now();
  const shown = lanes(sightings, now);
  const list = byId('replicas');
  for (const [key, { item }] of rows) {
    if (shown.some((lane) => lane.key === key)) continue;
    item.remove();
    rows.delete(key);
  }
  shown.forEach((lane, i) => {
    let row = rows.get(lane.key);
    if (!row) {
      row = createRow(lane);
      rows.set(lane.key, row);
    }
    const { item, strip, figure } = row;
    item.classList.toggle('quiet', now - (lane.sightings.at(-1)?.at ?? 0) > quietMs);
    setText(figure, latency(lane));
    strip.replaceChildren(baseline(), ...lane.sightings.map((sighting) => bar(sighting, now)));
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
  });
  const count = shown.filter(({ failed }) => !failed).length;
  setText(byId('replica-count'), `${count} replica${count === 1 ? '' : 's'}`);
}

function createRow({ name, from, failed }: Lane) {
  const strip = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' });
  strip.setAttribute('aria-hidden', 'true');
  const figure = element('span');
  const item = element(
    'li',
    failed ? 'failed' : '',
    element('div', '', element('b', '', name), ' ', element('span', 'from', from)),
    strip,
    element('div', 'latency', figure),
  );
  return { item, strip, figure };
}

function latency({ failed, medianMs, sightings: { length } }: Lane): string {
  if (failed) return `${length} ×`;
  return `${medianMs < 10 ? medianMs.toFixed(1) : Math.round(medianMs)} ms`;
}

/** One answer: the position is its age, the height its latency, 1 ms to 1 s on a logarithmic scale. */
function bar({ at, ms, failed }: Sighting, now: number): SVGElement {
  const share = failed ? 1 : Math.log10(Math.min(Math.max(ms, 1), 1000)) / 3;
  const size = 4 + share * (height - 4);
  const x = width * (1 - (now - at) / windowMs) - 3;
  return svg('rect', { x, y: height - size, width: 2.5, height: size });
}

function baseline(): SVGElement {
  return svg('line', { x1: 0, x2: width, y1: height, y2: height });
}

function svg(tag: string, attributes: Record<string, string | number>): SVGElement {
  const created = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, `${value}`);
  return created;
}
