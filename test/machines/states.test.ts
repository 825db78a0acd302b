import { readdirSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { provisionMachine } from '../../machines/provision.machine.ts';
import {
  ACTIVE_STATES,
  FINAL_STATES,
  hasReached,
  isFinalState,
  PROVISION_STATES,
  STATES,
  STEPS,
  stepOf,
  stepsDone,
} from '../../machines/provision.states.ts';
import type { EffectName } from '../../machines/provision.types.ts';
import { chartGraph } from '../../scripts/diagrams/chartGraph.ts';
import { COLUMN, placeStates } from '../../scripts/diagrams/columns.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { createEffects } from '../../src/effects/index.ts';
import { SNAPSHOT_VERSION } from '../../src/state/snapshotDocument.ts';
import { PROVISION_EFFECTS } from '../../src/watch/redactedShapes.ts';
import { ROOT, readPage, type Table, tablesIn } from '../docs/markdown.ts';
import { answers } from '../support/chartAnswers.ts';
import { effectScene } from '../support/effectCall.ts';

/**
 * A new state needs a part in many places, and this test checks each place. A state that only the table or only the
 * chart has counts as a state, so that one test run names all missing parts.
 */
const graph = chartGraph(provisionMachine);
const charted = graph.states.filter(({ kind }) => kind !== 'transient');
const TRANSIENT = graph.states.filter(({ kind }) => kind === 'transient').map(({ name }) => name);
const states: readonly string[] = [...new Set([...PROVISION_STATES, ...charted.map(({ name }) => name)])];
const isFinal = (state: string): boolean =>
  FINAL_STATES.some((final) => final === state) || charted.some(({ name, kind }) => name === state && kind === 'final');
const active = states.filter((state) => !isFinal(state));
const waiting: readonly string[] = ACTIVE_STATES.filter((state) => STATES[state].effect === 'none');
const withEffect = active.filter((state) => !waiting.includes(state));

const namesIn = (folder: string): readonly string[] => readdirSync(`${ROOT}${folder}`);
const NO_EFFECTS = ['index.ts', 'dependencies.ts'];
const effectFiles = namesIn('src/effects')
  .filter((name) => !NO_EFFECTS.includes(name))
  .map((name) => name.replace(/\.ts$/, ''));
const { dependencies } = await effectScene(devicePaths('/nowhere'));
const { actors } = createEffects(dependencies, { durable: async () => {} });

const pictureSchema = z.object({ states: z.array(z.object({ name: z.string() })) });
const drawn = pictureSchema.parse(JSON.parse(readPage('state-diagrams/provision.json'))).states;

const countStates = (names: readonly string[]): number => names.filter((name) => states.includes(name)).length;
/** The first column of a table. A row may name several states: `write, restore`. */
const firstColumn = ({ rows }: Table): string[] => rows.flatMap(([names = '']) => names.split(/, | and /));
const architecture = tablesIn(readPage('docs/architecture.md'));
/** The table of docs/architecture.md that has rows for most states. */
const chartTable = architecture
  .map(firstColumn)
  .toSorted((a, b) => countStates(b) - countStates(a))
  .at(0);
const barrierTable = architecture.find(({ header }) => header[0]?.includes('barrier'));

/** The lists of states in a page, for example in the text of a picture. */
const listsIn = (page: string): readonly (readonly string[])[] =>
  [...readPage(page).matchAll(/\w+(?:,\s+\w+){5,}/g)]
    .map(([list]) => list.split(/,\s+/))
    .filter((list) => countStates(list) > list.length / 2);

const reachSchema = z.object({ type: z.literal('reach'), params: z.object({ state: z.string() }) });
const reaching = Object.values(provisionMachine.root.states).flatMap(({ key, entry }) =>
  entry.flatMap((action) => {
    const { data } = reachSchema.safeParse(action);
    return data === undefined ? [] : [{ key, state: data.params.state }];
  }),
);

/** A part: its name, the states that have it, and the states that must have it. */
const PARTS: readonly (readonly [string, readonly string[] | undefined, readonly string[]])[] = [
  ['a row in the table, machines/provision.states.ts', PROVISION_STATES, states],
  ['a node in the chart, machines/provision.machine.ts', charted.map(({ name }) => name), states],
  [
    'a RESUME handler in its node of the chart',
    active.filter((state) => provisionMachine.root.states[state]?.ownEvents.some((event) => event === 'RESUME')),
    active,
  ],
  [
    'an effect in its node of the chart, unless the table says `none`',
    charted.flatMap(({ name, effect }) => (effect === null ? [] : [name])),
    withEffect,
  ],
  ['a file in src/effects/', effectFiles, withEffect],
  ['an entry in createEffects, src/effects/index.ts', Object.keys(actors), withEffect],
  [
    'a shape for inspectors in PROVISION_EFFECTS, src/watch/redactedShapes.ts',
    Object.keys(PROVISION_EFFECTS),
    withEffect,
  ],
  ['an answer in test/support/chartAnswers.ts', Object.keys(answers), withEffect],
  ['a place in the picture (npm run diagrams)', drawn.map(({ name }) => name), [...states, ...TRANSIENT]],
  [
    'a row in the table of the chart, docs/architecture.md',
    chartTable?.filter((name) => !isFinal(name)),
    [...active, ...TRANSIENT],
  ],
  [
    'a row in the table of the barrier, docs/architecture.md, if its effect waits for the barrier',
    barrierTable === undefined ? undefined : firstColumn(barrierTable),
    ACTIVE_STATES.filter((state) => STATES[state].effect === 'afterBarrier'),
  ],
  ...listsIn('README.md').map((list) => ['a place in each list of states in README.md', list, active] as const),
  [
    `a fixture of the certificate in test/proofs/certify/fixtures/v${SNAPSHOT_VERSION} (node scripts/makeFixtures.mjs)`,
    namesIn(`test/proofs/certify/fixtures/v${SNAPSHOT_VERSION}`),
    active,
  ],
];

describe('every state', () => {
  it.each(PARTS)('has %s, and no other name has it', (_part, found = [], wanted) => {
    const without = wanted.filter((state) => !found.includes(state));
    const notState = found.filter((name) => !wanted.includes(name));
    expect({ without, notState }).toEqual({ without: [], notState: [] });
  });
});

it('the main path of the picture (scripts/diagrams/columns.ts) is that of the table', () => {
  const onMainPath = placeStates(graph).filter(({ column, kind }) => column === COLUMN.main && kind !== 'transient');
  expect(onMainPath.map(({ name }) => name)).toEqual(PROVISION_STATES.filter((state) => STATES[state].mainPath));
});

const words = z.string().regex(/^\w.*[^.…]$/);
const common = {
  step: z.nullable(z.int().min(1)),
  mainPath: z.boolean(),
  status: z.enum(['pending', 'in-progress', 'completed', 'failed']),
};
const rowSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('active'),
    ...common,
    doing: words,
    known: z.nullable(words),
    effect: z.enum(['free', 'afterBarrier', 'none']),
  }),
  z.strictObject({
    kind: z.literal('final'),
    ...common,
    ended: words,
    outcome: z.enum(['done', 'none', 'attention', 'failed']),
  }),
]);

describe('a row of the table', () => {
  it.each(PROVISION_STATES)('of %s has step, status, texts, and the barrier decision or the outcome', (state) => {
    expect(rowSchema.safeParse(STATES[state]).error?.issues ?? []).toEqual([]);
  });

  it('has its own texts', () => {
    const doing = ACTIVE_STATES.map((state) => STATES[state].doing);
    expect(new Set(doing).size).toBe(doing.length);
  });

  it('has the same kind as in the chart', () => {
    for (const { name, kind } of charted) expect([name, isFinal(name)]).toEqual([name, kind === 'final']);
  });
});

type WithEffect = {
  [Name in keyof typeof STATES]: (typeof STATES)[Name] extends { effect: 'free' | 'afterBarrier' } ? Name : never;
}[keyof typeof STATES];

it('the effects of the table are those of provision.types.ts', () => {
  expectTypeOf<WithEffect>().toEqualTypeOf<EffectName>();
});

describe('the steps', () => {
  it('are numbered in order, and each is reached on entry in the chart', () => {
    expect(STEPS.map((state) => STATES[state].step)).toEqual(STEPS.map((_state, index) => index + 1));
    const [, ...later] = STEPS;
    expect(reaching.map(({ key }) => key)).toEqual(expect.arrayContaining([...later, 'provisioned']));
    for (const { key, state } of reaching) expect(state, `reach in ${key}`).toBe(key);
  });

  it('count in furthestStep as in every released snapshot: a new step needs a migration', () => {
    expect(STEPS.map((state) => [state, stepsDone(state)])).toEqual([
      ['detect', 0],
      ['validate', 1],
      ['prepare', 2],
      ['request', 3],
      ['verifyCredentials', 4],
      ['backup', 5],
      ['write', 6],
      ['finalize', 7],
    ]);
    expect([stepsDone('reconcile'), stepsDone('provisioned'), stepsDone('failed')]).toEqual([3, 8, null]);
    expect([6, 7, 8].map((furthestStep) => hasReached('finalize', { furthestStep }))).toEqual([false, true, true]);
  });

  it('show the progress of a run: pauses and probes belong to the step that they repeat', () => {
    const before = { furthestStep: 3 };
    const granted = { furthestStep: 4 };
    expect(STEPS.map((state) => stepOf(state, before))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([stepOf('backoff', before), stepOf('reconcile', before), stepOf('backoff', granted)]).toEqual([4, 4, 5]);
    expect([stepOf('restore', granted), stepOf('failed', before), stepOf('failed', granted)]).toEqual([7, 4, 5]);
    expect(stepOf('provisioned', { furthestStep: 8 })).toBe(8);
  });
});

describe('the status of a state', () => {
  it.each([
    ['pending', ['detect']],
    ['in-progress', ACTIVE_STATES.filter((state) => state !== 'detect')],
    ['completed', ['provisioned', 'notRequested', 'withdrawn']],
    ['failed', ['superseded', 'failed']],
  ] as const)('for a snapshot: %s', (status, expected) => {
    expect(PROVISION_STATES.filter((state) => STATES[state].status === status)).toEqual(expected);
  });

  it('is final or active', () => {
    expect(ACTIVE_STATES.filter(isFinalState)).toEqual([]);
    expect(FINAL_STATES.filter(isFinalState)).toEqual(FINAL_STATES);
  });
});
