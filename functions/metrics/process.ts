import {
  constants,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Registry, Sample } from './registry';

// The first three under the names that Prometheus' clients share, the others as in
// https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/ and …/v8js-metrics/

/** In ms: how often the event loop is looked at. */
const resolutionMs = 20;

const gcTypes: Record<number, string> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/** Measures the process, its event loop and its garbage collector. */
export function measureProcess(registry: Registry): (() => void)[] {
  registry.read(
    'counter',
    { name: 'process_cpu_seconds_total', help: 'CPU time of the process, in seconds.' },
    () => {
      const { user, system } = process.cpuUsage();
      return [[(user + system) / 1e6]];
    },
  );
  registry.read(
    'gauge',
    { name: 'process_resident_memory_bytes', help: 'Memory of the process.' },
    () => [[process.memoryUsage.rss()]],
  );
  const startedAt = Date.now() / 1000 - process.uptime();
  registry.read(
    'gauge',
    { name: 'process_start_time_seconds', help: 'When the process started, as Unix time.' },
    () => [[startedAt]],
  );
  registry.read(
    'gauge',
    {
      name: 'v8js_memory_heap_used_bytes',
      help: 'Heap in use, by space.',
      labels: ['v8js_heap_space_name'],
    },
    () => getHeapSpaceStatistics().map((s): Sample => [s.space_used_size, s.space_name]),
  );

  const gc = registry.histogram(
    {
      name: 'v8js_gc_duration_seconds',
      help: 'Duration of garbage collections.',
      labels: ['v8js_gc_type'],
    },
    [0.001, 0.01, 0.1, 1, 10],
  );
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail;
      gc.observe(entry.duration / 1000, gcTypes[kind] ?? 'other');
    }
  });
  observer.observe({ entryTypes: ['gc'] });

  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let utilization = performance.eventLoopUtilization();
  const since = { utilization: 0, p50: 0, p99: 0, max: 0 };
  registry.beforeReading(() => {
    // Node's histogram counts the interval as delay
    const seconds = (ns: number) => Math.max(0, ns / 1e9 - resolutionMs / 1000);
    since.p50 = seconds(delay.percentile(50));
    since.p99 = seconds(delay.percentile(99));
    since.max = seconds(delay.max);
    delay.reset();
    const now = performance.eventLoopUtilization();
    since.utilization = performance.eventLoopUtilization(now, utilization).utilization;
    utilization = now;
  });
  registry.read(
    'gauge',
    {
      name: 'nodejs_eventloop_utilization_ratio',
      help: 'Share of the time since the last scrape in which the event loop was busy.',
    },
    () => [[since.utilization]],
  );
  for (const name of ['p50', 'p99', 'max'] as const) {
    registry.read(
      'gauge',
      {
        name: `nodejs_eventloop_delay_${name}_seconds`,
        help: `Delay of the event loop since the last scrape: ${name}.`,
      },
      () => [[since[name]]],
    );
  }
  return [() => observer.disconnect(), () => delay.disable()];
}
