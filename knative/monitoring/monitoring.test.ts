import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createApiKey } from '../../functions/auth/api-keys';
import { parts } from '../../functions/index';
import { startMetrics } from '../../functions/metrics/start';
import { parseExposition } from '../../functions/testing/exposition';
import { post, send, startOwnHost } from '../../functions/testing/testing';
import { findPromtool, installPromtool, prometheusVersion } from '../../tools/programs/promtool';
import { suiteThatNeeds } from '../../tools/uvu';

const read = (name: string) => readFileSync(join(__dirname, name), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; runbook: string };
}

interface RuleTest {
  alertname: string;
  exp_alerts: unknown[];
}

const { groups } = loadYaml<{ groups: { rules: Rule[] }[] }>(read('prometheus/alerts.yml'));
const rules = groups.flatMap(({ rules }) => rules);

/** All queries of the dashboard. */
function queriesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'expr' ? [String(inner)] : queriesOf(inner),
  );
}

const dashboard = JSON.parse(read('dashboard.json'));
const queries = queriesOf(dashboard);

/**
 * What others expose. Knative's are in pkg/queue/request_metric.go, pkg/autoscaler/scaling/metrics.go
 * and pkg/activator/handler/metrics.go of knative.dev/serving v0.48.0, with their units as
 * OpenTelemetry's exporter for Prometheus writes them; that of kube-state-metrics in its
 * docs/metrics/workload/horizontalpodautoscaler-metrics.md.
 */
const others = [
  'kn_serving_invocation_duration_seconds_sum',
  'kn_revision_pods_requested',
  'kn_revision_concurrency_stable',
  'kn_revision_concurrency_panic',
  'kn_revision_concurrency_target',
  'kn_revision_panic_mode',
  'kn_revision_request_concurrency',
  'kube_horizontalpodautoscaler_status_desired_replicas',
  ...['up', 'ALERTS'], // Prometheus itself
];

const keywords = new Set(
  'sum max min count by rate increase absent vector histogram_quantile last_over_time clamp_min or and unless'.split(
    ' ',
  ),
);

/** The metrics that a query names, with the labels that it selects by. */
function selectorsOf(query: string): { name: string; labels: string[] }[] {
  const withoutGroups = query.replace(/\b(by|without) \([^)]*\)/g, '');
  return [...withoutGroups.matchAll(/\b([a-zA-Z_]\w*)(?:\{([^}]*)\})?/g)]
    .filter(({ 1: name = '', index }) => {
      const before = withoutGroups.slice(0, index);
      const isQuoted = (before.match(/"/g)?.length ?? 0) % 2 === 1;
      const isInside =
        before.lastIndexOf('{') > before.lastIndexOf('}') || /\[[^\]]*$/.test(before);
      return !keywords.has(name) && !isQuoted && !isInside;
    })
    .map(([, name = '', labels = '']) => ({
      name,
      labels: [...labels.matchAll(/(\w+)[=!]/g)].map(([, label = '']) => label),
    }));
}

/** Labels that Prometheus adds to what it scrapes: see prometheus/prometheus.yml. */
const added = ['job', 'namespace', 'pod', 'variant', 'revision', 'le'];

const test = suite<{ text: string }>('monitoring');

test.before(async (context) => {
  const { config, lifecycle, database } = parts();
  const metrics = await startMetrics(0, { config, lifecycle, database });
  const folder = mkdtempSync(join(tmpdir(), 'monitoring-test-'));
  const apiKeysFile = join(folder, 'keys');
  const { key, line } = createApiKey('ci', ['time:read', 'data:read', 'data:write']);
  writeFileSync(apiKeysFile, line);
  const host = await startOwnHost({ auth: { apiKeysFile } });
  const headers = { Authorization: `Bearer ${key}` };
  await post(`${host.url}/data`, {}, headers);
  await send(`${host.url}/data`, { headers });
  await send(`${host.url}/time`, { headers });
  rmSync(folder, { recursive: true });
  context.text = (await send(`http://127.0.0.1:${metrics.port}/metrics`)).text;
  await host.close();
  await metrics.close();
});

for (const [what, expressions] of [
  ['dashboard', queries],
  ['alerts', rules.map(({ expr }) => expr)],
] as const) {
  test(`${what}: every metric that it names, and every label, is in a scrape`, ({ text }) => {
    const families = parseExposition(text);
    const exposed = new Map<string, Set<string>>();
    for (const { samples } of families.values()) {
      for (const { name, labels } of samples) {
        const all = exposed.get(name) ?? new Set(added);
        for (const label of Object.keys(labels)) all.add(label);
        exposed.set(name, all);
      }
    }
    const selectors = expressions.flatMap(selectorsOf);
    assert.ok(selectors.length > 5);
    for (const { name, labels } of selectors) {
      if (others.includes(name) || labels.includes('kn_service_name')) continue;
      assert.ok(exposed.has(name), `there is no ${name}`);
      // what requests without a fault do not have
      const found = [...(exposed.get(name) as Set<string>), 'error_type'];
      for (const label of labels) assert.ok(found.includes(label), `${name} has no ${label}`);
    }
  });
}

test('what is listed as of others is used', () => {
  const used = [...queries, ...rules.map(({ expr }) => expr)].flatMap(selectorsOf);
  for (const name of others)
    assert.ok(
      used.some((selector) => selector.name === name),
      name,
    );
});

test('every alert has its paragraph in the runbook', () => {
  const runbook = readFileSync(join(__dirname, '../../docs/monitoring.md'), 'utf8');
  const described = [...runbook.matchAll(/^### (Functions\w+)$/gm)].map(([, name]) => name);
  assert.equal(
    rules.map(({ alert }) => alert),
    described,
  );
  for (const { alert, annotations } of rules) {
    assert.is(annotations.runbook, `docs/monitoring.md#${alert.toLowerCase()}`);
  }
});

test('every alert is tested where it fires and where it does not', () => {
  const { tests } = loadYaml<{ tests: { alert_rule_test: RuleTest[] }[] }>(
    read('prometheus/alerts.test.yml'),
  );
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  for (const { alert } of rules) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} never fires`,
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} always fires`,
    );
  }
});

test('the dashboard fits on one screen', () => {
  for (const { gridPos, targets } of dashboard.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24 && gridPos.y + gridPos.h <= 24);
    assert.ok(targets.length > 0);
  }
});

test.run();

const promtoolPath = findPromtool();
const checked = suiteThatNeeds(promtoolPath ? undefined : installPromtool, 'promtool', true);

function promtool(args: string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(`${promtoolPath}`, args, {
    input,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

for (const args of [
  // the token that its discovery would use is not here
  ['check', 'config', '--syntax-only', join(__dirname, 'prometheus/prometheus.yml')],
  ['check', 'rules', join(__dirname, 'prometheus/alerts.yml')],
  ['test', 'rules', join(__dirname, 'prometheus/alerts.test.yml')],
]) {
  checked(args.slice(0, 2).join(' '), async () => {
    const { status, output } = promtool(args);
    assert.is(status, 0, output);
  });
}

checked('promtool is of the Prometheus that is deployed', () => {
  const version = prometheusVersion.replace('v0.', 'v').replace(/^v(\d)(\d+)\.(\d+)$/, 'v$1.$2.$3');
  assert.match(read('prometheus.yaml'), `image: prom/prometheus:${version}\n`);
});

checked.run();
