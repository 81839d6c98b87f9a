// Reads Prometheus' text format, https://prometheus.io/docs/instrumenting/exposition_formats/, more
// strictly than Prometheus does.

/** A metric, such as a histogram with all of its samples. */
export interface Family {
  type: string;
  help: string;
  samples: ExposedSample[];
}

export interface ExposedSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{([^\n]*)\})? (-?[\d.]+(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

/** @throws {Error} that names the first line which is wrong */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: { name: string; help: string; family?: Family } | undefined;
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string) => {
      throw new Error(`${why}: ${line}`);
    };
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help) {
      const name = help[1] as string;
      if (families.has(name)) fail('metric twice');
      current = { name, help: help[2] as string };
    } else if (type) {
      if (current?.name !== type[1] || current?.family) fail('TYPE does not follow HELP');
      const family = { type: type[2] as string, help: current?.help as string, samples: [] };
      families.set(type[1] as string, family);
      if (current) current.family = family;
    } else {
      const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? fail('no sample');
      const { name: of, family } = current ?? fail('sample before TYPE');
      if (!family || !suffixes(family.type).some((suffix) => name === of + suffix)) {
        return fail('sample of another metric');
      }
      const sample = { name, labels: parseLabels(labels) ?? fail('labels'), value: Number(value) };
      const key = name + JSON.stringify(Object.entries(sample.labels).sort());
      if (seen.has(key)) fail('sample twice');
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) check(name, family);
  return families;
}

function suffixes(type: string): string[] {
  return type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
}

function parseLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  for (let at = 0; at < text.length; at = labelPair.lastIndex) {
    labelPair.lastIndex = at;
    const [, name = '', value = ''] = labelPair.exec(text) ?? [];
    if (!name || name in labels || value === '') return undefined;
    labels[name] = value.replace(/\\([\\n"])/g, (_, char) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

function check(name: string, { type, samples }: Family): void {
  if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${name} is a ${type}`);
  if (type !== 'gauge' && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name} is below 0`);
  }
  if (type !== 'histogram') return;
  let previous = 0;
  let bound = Number.NEGATIVE_INFINITY;
  for (const { name: sample, labels, value } of samples) {
    if (sample.endsWith('_bucket')) {
      const le = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      if (!(le > bound) || value < previous) throw new Error(`${name}: buckets are not ascending`);
      bound = le;
      previous = value;
    } else if (sample.endsWith('_count')) {
      if (bound !== Number.POSITIVE_INFINITY || value !== previous) {
        throw new Error(`${name}: the last bucket does not have all`);
      }
      bound = Number.NEGATIVE_INFINITY;
      previous = 0;
    }
  }
}
