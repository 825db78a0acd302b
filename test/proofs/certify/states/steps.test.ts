import { expect, test } from 'vitest';
import { provisionMachine } from '../../../../machines/provision.machine.ts';
import { type ChartGraph, chartGraph } from '../../../../scripts/diagrams/chartGraph.ts';
import { unreached } from './recordings.ts';
import { edgesOfStep, edgeText, linesIn, stepsOf } from './steps.ts';

const graph = chartGraph(provisionMachine);
const log = (...lines: readonly object[]): string => lines.map((line) => JSON.stringify(line)).join('\n');
const entered = (state: string) => ({ event: 'state.entered', state, message: state });

test('a log is read as transitions of the chart', () => {
  const output = log(
    { event: 'run.started', state: null, message: '' },
    entered('detect'),
    entered('validate'),
    entered('prepare'),
    entered('request'),
    { event: 'request.failure', state: 'request', message: '' },
    entered('reconcile'),
    { event: 'reconcile.refused', state: 'reconcile', message: '' },
    { event: 'backoff.waiting', state: 'backoff', message: '', waitingFor: 'probe' },
    { event: 'run.failed', state: 'failed', message: '', code: 'RUN_TIME_LIMIT' },
    { event: 'run.resumed', state: null, message: '', from: 'request' },
    entered('reconcile'),
    { event: 'run.failed', state: 'failed', message: '', code: 'DEVICE_NAME_TAKEN' },
  );
  expect(stepsOf(linesIn(output)).map((step) => edgesOfStep(graph, step).map(edgeText))).toEqual([
    [],
    ['detect → validate : done [isRequested]'],
    ['validate → prepare : done'],
    ['prepare → route : done', 'route → request'],
    ['request → reconcile : done [answeredFailure]'],
    ['reconcile → backoff : done [mustProbeAgain]'],
    ['* → failed : TIME_UP'],
    ['request → route : RESUME [mayResume]', 'route → reconcile [mustReconcile]'],
    ['reconcile → failed : done [isNameTaken]'],
  ]);
});

test('a step without a transition in the chart is an error', () => {
  const output = log({ event: 'run.started', state: null, message: '' }, entered('detect'), entered('finalize'));
  const [, step] = stepsOf(linesIn(output));
  expect(() => step && edgesOfStep(graph, step)).toThrow('detect to finalize is not clear: there is none');
});

test('two transitions that no evidence distinguishes are an error', () => {
  const doubled: ChartGraph = {
    ...graph,
    edges: [...graph.edges, { from: 'backup', to: 'write', event: 'done', guard: 'isNew', kind: 'done' }],
  };
  const output = log({ event: 'run.started', state: null, message: '' }, entered('backup'), entered('write'));
  const [, step] = stepsOf(linesIn(output));
  expect(() => step && edgesOfStep(doubled, step)).toThrow(
    'the way from backup to write is not clear: backup → write : done or backup → write : done [isNew]',
  );
});

test('every transition of the chart is distinguishable from the others between the same two states', () => {
  const line = { event: '', state: null, message: '' };
  const states = graph.states.filter(({ kind }) => kind !== 'transient').map(({ name }) => name);
  const untold = states.flatMap((from) =>
    states.flatMap((to) =>
      [false, true].flatMap((resumed) => {
        try {
          edgesOfStep(graph, { from, to, resumed, before: [], entry: line, line: 1 });
          return [];
        } catch (error) {
          // An absent transition is not a fault, nor is one whose evidence this line lacks.
          return String(error).includes(' or ') ? [String(error)] : [];
        }
      }),
    ),
  );
  expect(untold).toEqual([]);
});

test('states and transitions that no scenario reaches are named', () => {
  const state = { id: 'provision.polish', name: 'polish', description: '', kind: 'active', effect: 'polish' } as const;
  const edge = { from: 'write', to: 'polish', event: 'done', guard: null, kind: 'done' } as const;
  const longer: ChartGraph = { ...graph, states: [...graph.states, state], edges: [...graph.edges, edge] };
  const missing = unreached(longer, []);
  expect(missing).toContain('no scenario reaches the state polish');
  expect(missing).toContain('no scenario takes the transition write → polish : done');
});
