import type { Series } from '../common/charts/line-chart';
import { escapeText } from '../common/charts/svg';
import { definitions, numberTable, type Panel, page, type View } from '../common/page/page';
import { answersOf } from './answer';
import { columns, type Metric, medianOf, namesOf, tablesOf } from './growth-tables';
import { type PartName, partNames, parts, saturation } from './parts';
import type { GrowthResults, PartResults } from './results';

/** The results as an HTML page. */
export function growthPage(results: GrowthResults): string {
  const { replicas } = results;
  const before = replicas
    ? `${answersOf(replicas)
        .map((answer) => `<p>${escapeText(answer)}</p>`)
        .join('\n')}
<h2>By replicas</h2>
<p class="soft">2 to 5 replicas, as many as both variants have, are shaded.</p>`
    : '';
  const after = partNames.flatMap((name) => {
    const part = results[name];
    return part ? [`<h2>${parts[name].title}</h2>`, ...tables(name, part)] : [];
  });
  return page('How cost grows', before, replicas ? views(replicas) : [], after.join('\n'));
}

function tables(name: PartName, part: PartResults): string[] {
  const databases = namesOf(part.samples, 'database').join(' / ');
  return [
    ...tablesOf(name, part).map(({ caption, header: [first = '', ...names], rows }) =>
      numberTable(
        `${caption} (${databases})`,
        first,
        names.map((column) => ({ name: column })),
        rows,
      ),
    ),
    definitions({ ...part.environment, 'length of a sample': `${part.seconds} s` }),
  ];
}

/** One view of the replicas for each database. */
function views({ samples }: PartResults): View[] {
  const x = parts.replicas.values;
  const loads = namesOf(samples, 'load');
  return namesOf(samples, 'database').map((database) => {
    const chart = (load: string, metric: Metric) => {
      const values = x.map((count) => medianOf(samples, { database, load, x: count }, metric));
      const line: Series = { label: columns[metric], mark: 'line-1', dots: true, values };
      return { title: load, series: [line] };
    };
    const panels: Panel[] = [
      {
        title: 'Throughput',
        note: 'posts/s',
        charts: [chart(saturation, 'rate')],
      },
      {
        title: 'p95',
        note: 'latency, ms, logarithmic',
        log: true,
        charts: loads.map((load) => chart(load, 'p95')),
      },
      {
        title: 'Posts per commit',
        charts: loads.map((load) => chart(load, 'batch')),
      },
      {
        title: 'CPU of the service',
        note: 'ms per 1,000 posts',
        charts: loads.map((load) => chart(load, 'serviceCpu')),
      },
    ];
    return { name: database, x, unit: 'replicas', logX: true, shade: [2, 5], panels };
  });
}
