import { markdownTable } from '../common/markdown';
import { answersOf } from './answer';
import { namesOf, tablesOf } from './growth-tables';
import { partNames, parts } from './parts';
import type { GrowthResults } from './results';

/** The results as docs/growth.md. */
export function growthMarkdown(results: GrowthResults): string {
  const measured = partNames.flatMap((name) => {
    const part = results[name];
    return part ? [{ name, part }] : [];
  });
  const databases = namesOf(
    measured.flatMap(({ part }) => part.samples),
    'database',
  );
  return `${[
    '<!-- made by npm run growth: do not edit -->',
    '# How cost grows',
    ...(results.replicas ? answersOf(results.replicas) : []),
    why,
    how,
    `Each cell has the figure for ${databases.join(' / ')}.`,
    ...measured.flatMap(({ name, part }) => [
      `## ${parts[name].title}`,
      ...tablesOf(name, part).flatMap(({ caption, header, rows }) => [
        `${caption}:`,
        markdownTable([header, ...rows]),
      ]),
      environmentLine(part.environment, part.seconds),
    ]),
  ].join('\n\n')}\n`;
}

const why = `Each replica writes its own batches
([group commit](architecture.md#how-a-request-is-served)). The same posts on more replicas make more and
smaller batches, and a database that commits one batch at a time serves the replicas in turn. So add replicas
when the service lacks CPU, not when posts are slow. Reads and requests for the time have no such limit.`;

const how = `\`\`\`sh
npm run growth                          # about a quarter of an hour
npm run growth -- replicas pages        # only these parts; the other results stay
npm run growth -- report                # makes the report again, from the last results
\`\`\`

This measures the database that \`npm start\` uses, and those in \`GROWTH_DATABASES\`, a list of
\`NAME=mongodb://…\`. SecantusDB stores documents with WiredTiger, as MongoDB does, but serves them in Python
and lets one insert at a time into a collection; only MongoDB itself shows how MongoDB grows. To repeat
the run:

\`\`\`sh
pip install SecantusDB==0.7.0b3
secantusd-py --port 27123 --standalone --storage-path "$(mktemp -d)" &
GROWTH_DATABASES='SecantusDB=mongodb://127.0.0.1:27123/?directConnection=true' npm run growth
\`\`\`

The replicas are processes of the built service on one machine, with the databases and the load generator,
which spreads the requests evenly. So a further replica adds no CPU here: the figures show what it costs, not
what it adds on a node of its own.

- **A constant load**, such as 500 posts/s, is an open model: requests do not wait for responses, and latency
  counts from when they were due.
- **All other loads** are a closed model, by [wrk](https://github.com/wg/wrk), with 50 connections unless the
  table says how many.
- **CPU** is that of all replicas together, per 1,000 correct responses.
- **Peak memory** is the sum of the most that each replica had since it started.
- **The number of replicas** is measured going up and then down; the table has the mean.

The [report](../load/growth/report/index.html) has charts, and [the data](../load/growth/report/growth.json)
all samples.`;

function environmentLine(environment: Record<string, string>, seconds: number): string {
  const parts = Object.entries(environment).map(([name, value]) => `${name} ${value}`);
  return `${parts.join('; ')}; ${seconds} s a sample`;
}
