/** Counts, one for each combination of label values. */
export interface Counter {
  /** @param values one for each label, in order; an empty one leaves the label out */
  add(amount: number, ...values: string[]): void;
}

/** Distributions, one for each combination of label values. */
export interface Histogram {
  /** @param values one for each label, in order; an empty one leaves the label out */
  observe(value: number, ...values: string[]): void;
}

/** A metric's name, help text and labels. */
export interface Description {
  /** As Prometheus writes it: with its unit in plural, and `_total` at the end of a counter. */
  name: string;
  help: string;
  labels?: string[];
}

/** A value, with those of its labels. */
export type Sample = [value: number, ...values: string[]];

/** The metrics of a process. */
export interface Registry {
  counter(description: Description): Counter;
  /** A gauge that goes up and down with what is added. */
  gauge(description: Description): Counter;
  /** @param bounds the upper bounds of its buckets, ascending */
  histogram(description: Description, bounds: number[]): Histogram;
  /** A metric that is read whenever the metrics are. One whose reading fails is left out. */
  read(type: 'counter' | 'gauge', description: Description, read: () => Sample[]): void;
  /** Calls back before the metrics are read. */
  beforeReading(callback: () => void): void;
  /** All metrics in Prometheus' text format 0.0.4. */
  text(): string;
}

/** The text format that `Registry.text` returns. */
export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Combinations of label values that a metric may have, whatever clients send. Further ones are counted
 * together, as in OpenTelemetry, under the label `otel_metric_overflow`.
 */
const maxSeries = 500;

/** Values by label values. */
interface Series<Value> {
  of(values: string[]): Value;
  /** The values, each with its labels as text, such as `a="b",c="d"`. */
  all(): Iterable<[labels: string, value: Value]>;
}

export function createRegistry(): Registry {
  const metrics: (() => string)[] = [];
  const callbacks: (() => void)[] = [];

  function add(type: string, { name, help }: Description, samples: () => string): void {
    const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    metrics.push(() => head + samples());
  }

  function sum(type: 'counter' | 'gauge', description: Description): Counter {
    const { name, labels = [] } = description;
    const series = createSeries(labels, () => ({ sum: 0 }));
    add(type, description, () => {
      let text = '';
      for (const [of, { sum }] of series.all()) text += line(name, of, sum);
      return text;
    });
    return {
      add(amount, ...values) {
        series.of(values).sum += amount;
      },
    };
  }

  return {
    counter: (description) => sum('counter', description),
    gauge: (description) => sum('gauge', description),
    histogram(description, bounds) {
      const { name, labels = [] } = description;
      const overflow = bounds.length;
      const total = overflow + 1;
      // the number of values in each bucket, then those above all bounds, then the sum of the values
      const series = createSeries(labels, () => new Float64Array(bounds.length + 2));
      add('histogram', description, () => {
        let text = '';
        for (const [of, values] of series.all()) {
          let count = 0;
          for (let i = 0; i <= overflow; i++) {
            count += values[i] as number;
            const le = i < overflow ? bounds[i] : '+Inf';
            text += line(`${name}_bucket`, `${of}${of && ','}le="${le}"`, count);
          }
          text += line(`${name}_sum`, of, values[total] as number);
          text += line(`${name}_count`, of, count);
        }
        return text;
      });
      return {
        observe(value, ...labelValues) {
          const values = series.of(labelValues);
          let i = 0;
          while (i < overflow && value > (bounds[i] as number)) i++;
          (values[i] as number)++;
          (values[total] as number) += value;
        },
      };
    },
    read(type, description, read) {
      const { name, labels = [] } = description;
      add(type, description, () => {
        let text = '';
        for (const [value, ...values] of read())
          text += line(name, labelText(labels, values), value);
        return text;
      });
    },
    beforeReading: (callback) => void callbacks.push(callback),
    text() {
      for (const callback of callbacks) attempt(callback);
      return metrics.map(attempt).join('');
    },
  };
}

/** @returns undefined if it fails: the other metrics are of use without this one */
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function createSeries<Value>(labels: string[], create: () => Value): Series<Value> {
  const byValues = new Map<string, [labels: string, value: Value]>();
  let overflow: [labels: string, value: Value] | undefined;
  if (labels.length === 0) byValues.set('', ['', create()]);
  return {
    of(values) {
      const key = values.length === 1 ? (values[0] as string) : values.join('\0');
      let found = byValues.get(key);
      if (!found && byValues.size >= maxSeries) {
        overflow ??= ['otel_metric_overflow="true"', create()];
        return overflow[1];
      }
      if (!found) {
        found = [labelText(labels, values), create()];
        byValues.set(key, found);
      }
      return found[1];
    },
    all: () => (overflow ? [...byValues.values(), overflow] : byValues.values()),
  };
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels && `{${labels}}`} ${value}\n`;
}

/** An empty label is the same as none. */
function labelText(labels: string[], values: string[]): string {
  return labels
    .map((label, i) => values[i] && `${label}="${escapeValue(values[i] as string)}"`)
    .filter(Boolean)
    .join(',');
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function escapeValue(text: string): string {
  return escapeHelp(text).replace(/"/g, '\\"');
}
