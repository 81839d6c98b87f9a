// Shows one view at a time, and the values under a common cursor. The page can be read without.
const numberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const views = [...document.querySelectorAll('.view')];
const choice = document.querySelector('.choice');

function show(index) {
  for (const [i, view] of views.entries()) view.hidden = i !== index;
}

function startCursor(view) {
  const x = JSON.parse(view.dataset.x);
  const control = view.querySelector('.cursor');
  const slider = control.querySelector('input');
  const output = control.querySelector('output');
  const charts = [...view.querySelectorAll('figure')].map((figure) => {
    const plot = figure.querySelector('.plot');
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
    line.setAttribute('class', 'cursor-line');
    line.setAttribute('y2', '100%');
    plot.append(line);
    const labels = JSON.parse(figure.dataset.labels);
    const values = JSON.parse(figure.dataset.values);
    return { plot, line, labels, values, readout: figure.querySelector('.readout') };
  });
  // as drawn: the grid's scale may be logarithmic
  const isLog = view.dataset.scale === 'log';
  const scale = isLog ? Math.log : (value) => value;
  const place = (value) => (scale(value) - scale(x[0])) / (scale(x.at(-1)) - scale(x[0]));

  function moveTo(index) {
    const where = `${numberFormat.format(x[index])} ${view.dataset.unit}`.trim();
    slider.value = index;
    slider.setAttribute('aria-valuetext', where);
    output.value = where;
    for (const { line, labels, values, readout } of charts) {
      const percent = `${100 * place(x[index])}%`;
      line.setAttribute('x1', percent);
      line.setAttribute('x2', percent);
      readout.textContent = labels
        .map((label, i) => {
          const value = values[i][index];
          return `${label} ${value === null ? 'none' : numberFormat.format(value)}`;
        })
        .join(' · ');
    }
  }

  function follow(event) {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = (event.clientX - left) / width;
    const distances = x.map((value) => Math.abs(place(value) - at));
    moveTo(distances.indexOf(Math.min(...distances)));
  }

  control.hidden = false;
  slider.addEventListener('input', () => moveTo(slider.valueAsNumber));
  for (const { plot } of charts) {
    plot.addEventListener('pointermove', follow);
    plot.addEventListener('pointerdown', follow);
  }
  moveTo(Math.floor(x.length / 4));
}

for (const view of views) startCursor(view);
if (choice) {
  choice.hidden = false;
  choice.addEventListener('change', ({ target }) => show(Number(target.value)));
  show(Number(choice.querySelector(':checked').value));
}
