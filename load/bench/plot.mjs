// Reads a Plot (see write-report.ts) as JSON from standard input, and prints it as SVG:
// https://echarts.apache.org/handbook/en/how-to/cross-platform/server/
import { json } from 'node:stream/consumers';
import * as echarts from 'echarts';

const { title, scale, contenders, series } = await json(process.stdin);
const exponents = series.flatMap(({ values }) => values).map(Math.log10);
const axis = {
  linear: { type: 'value' },
  // ends at powers of ten
  log: {
    type: 'log',
    min: 10 ** Math.floor(Math.min(...exponents)),
    max: 10 ** Math.ceil(Math.max(...exponents)),
  },
};
const chart = echarts.init(null, null, {
  renderer: 'svg',
  ssr: true,
  width: 800,
  height: 100 + contenders.length * 20 * series.length,
});

chart.setOption({
  animation: false,
  backgroundColor: '#fff',
  title: { text: title, textStyle: { fontSize: 14 } },
  legend: { top: 28, itemGap: 30 },
  grid: { left: 190, right: 60, top: 60, bottom: 30 },
  xAxis: axis[scale],
  yAxis: { type: 'category', data: contenders, inverse: true },
  series: series.map(({ name, values }) => ({
    name,
    type: 'bar',
    data: values,
    label: { show: true, position: 'right', formatter: '{c}' },
  })),
});
process.stdout.write(chart.renderToSVGString());
chart.dispose(); // its timers would keep this process alive
