import { expect, it } from 'vitest';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import { chartGraph } from '../../scripts/diagrams/chartGraph.ts';
import { toMermaid } from '../../scripts/diagrams/mermaid.ts';

it('draws nested states with names that Mermaid accepts', () => {
  const text = toMermaid(chartGraph(telemetryMachine));
  expect(text).toContain('state "publishing.sending" as publishing_sending');
  expect(text).toContain('publishing --> publishing_sending\n');
  expect(text).toContain('anyState --> stopping : STOP');
});
