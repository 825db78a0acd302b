/** Dashboard, alerts and drop-in name what the program really writes. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod/mini';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { openMetrics } from '../../src/status/openMetrics.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { filesWith, runIn } from '../support/statusFiles.ts';

const packaging = (path: string): string => join(import.meta.dirname, '../../packaging', path);
const DASHBOARD = 'grafana/thermal-provision.json';
const gridPos = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
const dashboardSchema = z.object({ panels: z.array(z.object({ id: z.number(), gridPos })) });
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

const failed = openMetrics(
  makeStatus(filesWith({ snapshot: { ...runIn('failed'), error: { code: 'DISK_FULL', message: 'm', hint: 'h' } } })),
  '1.0.0',
);
const written = new Set(failed.match(/^thermal_provision_\w+/gm));
const labelsOf = (name: string): Set<string | undefined> =>
  new Set(
    [...failed.matchAll(new RegExp(`^${name}\\{(.*)\\}`, 'gm'))].flatMap(([, labels = '']) =>
      [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label),
    ),
  );

/** Every PromQL expression of the dashboard, with a plain text for the variables of Grafana. */
async function queries(): Promise<string[]> {
  const text = await readFile(packaging(DASHBOARD), 'utf8');
  const found: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    if (key === 'expr' && typeof value === 'string') found.push(value.replaceAll('$instance', '.*'));
    return value;
  });
  return found;
}

describe('the dashboard', () => {
  it('asks only for metrics and labels that the program writes, and for most of them', async () => {
    const asked = new Set<string>();
    for (const query of await queries()) {
      for (const [name] of query.matchAll(/thermal_provision_\w+/g)) asked.add(name);
      for (const [, name = '', matchers = ''] of query.matchAll(/(thermal_provision_\w+)\{([^}]*)\}/g)) {
        for (const [, label] of matchers.matchAll(/(\w+)=/g)) {
          expect([...labelsOf(name), 'instance'], query).toContain(label);
        }
      }
    }
    expect([...asked].filter((name) => !written.has(name))).toEqual([]);
    expect(asked.size).toBeGreaterThan(5);
  });

  it('has panels that do not cover each other', async () => {
    const { panels } = dashboardSchema.parse(JSON.parse(await readFile(packaging(DASHBOARD), 'utf8')));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });

  it.skipIf(!hasPromtool)('has queries that Prometheus understands (needs promtool)', async () => {
    const folder = await makeFolder(onTestFinished);
    const rules = (await queries()).map((expr, at) => ({ record: `query:${at}`, expr }));
    const file = join(folder, 'rules.yml');
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(
      `${rules.length} rules found`,
    );
  });
});

describe('the alerts', () => {
  it('look only at metrics that the program writes', async () => {
    const text = await readFile(packaging('prometheus/alerts.yml'), 'utf8');
    const asked = text.match(/thermal_provision_\w+/g) ?? [];
    expect(asked.filter((name) => !written.has(name))).toEqual([]);
    expect(asked.length).toBeGreaterThan(2);
  });

  it.skipIf(!hasPromtool)('fire when and only when they should (needs promtool)', () => {
    const cwd = packaging('prometheus');
    expect(
      execFileSync('promtool', ['check', 'rules', '--lint-fatal', 'alerts.yml'], { cwd, encoding: 'utf8' }),
    ).toContain('SUCCESS');
    expect(execFileSync('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd, encoding: 'utf8' })).toContain(
      'SUCCESS',
    );
  });
});
