/** A kind of load. How many replicas help depends on it. */
export interface LoadKind {
  name: 'cpu' | 'waiting' | 'mixed';
  /** In a word. */
  title: string;
  /** What the requests do. */
  description: string;
  /** `MIX` of mix.js. */
  mix: string;
  /** Whether each response of the database takes 200 ms longer. */
  slowDatabase: boolean;
}

const loadKinds: LoadKind[] = [
  {
    name: 'cpu',
    title: 'CPU-bound',
    description: 'each iteration gets the time in a zone',
    ...{ mix: '1:0:0', slowDatabase: false },
  },
  {
    name: 'waiting',
    title: 'waiting',
    description:
      'half of the iterations post a document and read it, half list documents, and each response of the database takes 200 ms longer',
    ...{ mix: '0:1:1', slowDatabase: true },
  },
  {
    name: 'mixed',
    title: 'mixed',
    description:
      'of ten iterations six get the time, three post a document and read it, and one lists documents',
    ...{ mix: '6:3:1', slowDatabase: false },
  },
];

/** The kinds that `LOADS` of the environment selects, such as `cpu,mixed`: all without it. */
export function chooseKinds(env = process.env): LoadKind[] {
  const chosen: string[] = env.LOADS ? env.LOADS.split(',') : loadKinds.map(({ name }) => name);
  const unknown = chosen.find((name) => !loadKinds.some((kind) => kind.name === name));
  if (unknown !== undefined)
    throw new Error(`LOADS has "${unknown}": choose from cpu, waiting and mixed.`);
  return loadKinds.filter(({ name }) => chosen.includes(name));
}
