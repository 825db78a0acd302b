import { describe, expect, it } from 'vitest';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import { chartGraph, mainFlow } from '../../scripts/diagrams/chartGraph.ts';
import { chartPicture, pathMarks, pictureParts } from '../../src/report/chartPicture.ts';

const CHARTS = [
  ['provision', provisionMachine],
  ['telemetry', telemetryMachine],
] as const;

describe.each(CHARTS)('the picture of %s', (name, machine) => {
  const graph = chartGraph(machine);

  it('has an identifier for every state, also nested ones, and for every arrow of the main flow', () => {
    const parts = pictureParts(name);
    for (const state of graph.states) expect(parts).toContain(`${name}-state-${state.name}`);
    for (const edge of mainFlow(graph).edges)
      expect(parts).toContain(`${name}-edge-${edge.from}-${edge.to}-${edge.kind}`);
    expect(graph.states.map(({ id }) => id)).toEqual(graph.states.map((state) => `${name}.${state.name}`));
  });

  it('has no size, no script and no duplicate identifier', () => {
    const { markup } = chartPicture(name, {});
    expect(markup).toMatch(/^<svg role="img" aria-label="Statechart: /);
    expect(markup).not.toMatch(/<script|<style|<!--|<svg[^>]* width=|class="paper"/);
    const ids = [...markup.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the marks', () => {
  it('follow the chart through its transient state, and end at the latest state', () => {
    const marks = pathMarks(
      'provision',
      ['detect', 'validate', 'prepare', 'request', 'backoff', 'reconcile'],
      'running',
    );
    expect(marks).toMatchObject({
      'provision-state-route': 'taken',
      'provision-edge-prepare-route-done': 'taken',
      'provision-edge-route-request-always': 'taken',
      'provision-edge-request-backoff-error': 'taken',
      'provision-edge-backoff-route-after': 'taken',
      'provision-state-reconcile': 'current',
    });
    expect(marks['provision-state-write']).toBeUndefined();
  });

  it('are on lines that are drawn after the lines without a mark', () => {
    const { markup } = chartPicture('provision', { 'provision-edge-request-backoff-error': 'taken' });
    const [last] = markup.split('\n').slice(-1);
    expect(last).toContain('id="provision-edge-request-backoff-error" class="edge error" data-mark="taken"');
    expect(markup.match(/data-mark/g)).toHaveLength(1);
  });

  it('mark only states and arrows that the picture has', () => {
    expect(pathMarks('provision', ['validate', 'failed', 'unheard-of'], 'failed')).toEqual({
      'provision-state-validate': 'taken',
      'provision-state-failed': 'taken',
    });
    expect(pathMarks('provision', [], 'none')).toEqual({});
  });
});
