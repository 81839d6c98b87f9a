// Draws a run's ratios, JSON on standard input, as SVG on standard output:
// https://echarts.apache.org/handbook/en/how-to/cross-platform/server/
import { json } from 'node:stream/consumers';
import * as echarts from 'echarts';

const { title, scale, contenders, series } = await json(process.stdin);
const powers = series.flatMap(({ values }) => values).map(Math.log10);
const axis = {
  linear: { type: 'value' },
  // from one power of ten to another
  log: {
    type: 'log',
    min: 10 ** Math.floor(Math.min(...powers)),
    max: 10 ** Math.ceil(Math.max(...powers)),
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
chart.dispose(); // its timers would keep this process
