// Draws one view at a time. page.ts defines and embeds the views.
/* global uPlot, views */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
const numberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const formatNumber = (value) => (value == null ? '–' : numberFormat.format(value));
const main = document.getElementById('plots');
let plots = [];

function draw(view) {
  for (const plot of plots) plot.destroy();
  plots = [];
  main.replaceChildren();
  main.className = view.columns.length === 2 ? 'columns two' : 'columns';
  for (const { title, panels } of view.columns) {
    const column = main.appendChild(document.createElement('section'));
    if (title) column.appendChild(document.createElement('h3')).textContent = title;
    for (const panel of panels) {
      const figure = column.appendChild(document.createElement('figure'));
      const caption = figure.appendChild(document.createElement('figcaption'));
      caption.append(`${panel.title} `);
      caption.appendChild(document.createElement('small')).textContent = panel.note ?? '';
      plots.push(plotOf(panel, figure));
    }
  }
}

function plotOf(panel, figure) {
  const axis = (more) => ({
    stroke: () => style('soft'),
    grid: { stroke: () => style('line'), width: 1 },
    ticks: { stroke: () => style('line'), width: 1 },
    font: '12px system-ui, sans-serif',
    values: (_, ticks) => ticks.map((tick) => (tick == null ? '' : formatNumber(tick))),
    ...more,
  });
  const options = {
    width: figure.clientWidth,
    height: 150,
    cursor: { sync: { key: 'x' }, y: false, drag: { x: false, y: false } },
    scales: {
      x: panel.xLog ? { time: false, distr: 3, log: 2 } : { time: false },
      y: panel.log ? { distr: 3, range: panel.range } : { range: panel.range },
    },
    axes: [axis({ size: 28 }), axis({ size: 56, ...(panel.log && { splits: powersOfTen }) })],
    series: [
      { label: panel.xLabel, value: (_, value) => formatNumber(value) },
      ...panel.series.map(({ label, color, steps, dots, dash }) => ({
        label,
        stroke: () => style(color),
        width: 1.5,
        ...(dash && { dash: [5, 4] }),
        ...(steps && { paths: uPlot.paths.stepped({ align: 1 }) }),
        points: { show: Boolean(dots), size: 5, fill: () => style(color) },
        spanGaps: true,
        value: (_, value) => formatNumber(value),
      })),
    ],
    hooks: { drawClear: [(plot) => shade(plot, panel.shade)] },
  };
  return new uPlot(options, [panel.x, ...panel.series.map(({ values }) => values)], figure);
}

const powersOfTen = (_, __, min, max) =>
  Array.from({ length: Math.round(Math.log10(max / min)) + 1 }, (_, i) => min * 10 ** i);

function shade(plot, range) {
  if (!range) return;
  const { ctx, bbox } = plot;
  const [from, to] = range.map((value) => plot.valToPos(value, 'x', true));
  ctx.save();
  ctx.fillStyle = style('spike');
  ctx.fillRect(from, bbox.top, to - from, bbox.height);
  ctx.restore();
}

new ResizeObserver(() => {
  for (const plot of plots) {
    const width = plot.root.parentElement.clientWidth;
    if (width !== plot.width) plot.setSize({ width, height: plot.height });
  }
}).observe(main);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const plot of plots) plot.redraw();
});
for (const input of document.querySelectorAll('nav input')) {
  input.addEventListener('change', () => draw(views[Number(input.value)]));
}
draw(views[0]);
