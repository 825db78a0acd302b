import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, type AnyStateNode, createActor, setup, toPromise } from 'xstate';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { ACTIVE_STATES, FINAL_STATES } from '../../machines/provision.states.ts';

type Kind = 'actors' | 'actions' | 'guards' | 'delays';
type Names = Readonly<Record<Kind, ReadonlySet<string>>>;

const stateNodes = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(stateNodes)];
const transitionsOf = (node: AnyStateNode) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])];

/** The name of a string or `{ type }` reference; xstate's own parts (timers, `xstate.` actions) have none. */
function nameIn(reference: unknown): string[] {
  if (typeof reference === 'string') return [reference];
  if (typeof reference !== 'object' || reference === null || !('type' in reference)) return [];
  return typeof reference.type === 'string' && !reference.type.startsWith('xstate.') ? [reference.type] : [];
}

/** Every name that the literal uses. */
function usedNames(machine: AnyStateMachine): Names {
  const nodes = stateNodes(machine.root);
  const transitions = nodes.flatMap(transitionsOf);
  const actions = [...nodes.flatMap((node) => [...node.entry, ...node.exit]), ...transitions.flatMap((t) => t.actions)];
  return {
    actors: new Set(nodes.flatMap((node) => node.invoke.map(({ src }) => String(src)))),
    actions: new Set(actions.flatMap(nameIn)),
    guards: new Set(transitions.flatMap(({ guard }) => nameIn(guard))),
    delays: new Set(nodes.flatMap((node) => node.after.map(({ delay }) => String(delay)))),
  };
}

function implementedNames(machine: AnyStateMachine): Names {
  const names = (kind: Kind): Set<string> => new Set(Object.keys(machine.implementations[kind]));
  return { actors: names('actors'), actions: names('actions'), guards: names('guards'), delays: names('delays') };
}

/** Names that the literal uses, but nothing implements. */
function missingNames(machine: AnyStateMachine): string[] {
  const used = usedNames(machine);
  const implemented = implementedNames(machine);
  const kinds: readonly Kind[] = ['actors', 'actions', 'guards', 'delays'];
  return kinds.flatMap((kind) => [...used[kind]].filter((name) => !implemented[kind].has(name)));
}

describe("the provisioning chart's literal", () => {
  it('uses only implemented names, and implements only used ones', () => {
    expect(missingNames(provisionMachine)).toEqual([]);
    expect(usedNames(provisionMachine)).toEqual(implementedNames(provisionMachine));
  });

  // xstate skips a missing action silently and fires a missing delay at once, so this check must not sleep.
  it.each([
    ['actors', { invoke: { src: 'missing' } }],
    ['actions', { entry: 'missing' }],
    ['actions', { on: { RESUME: { actions: { type: 'missing' } } } }],
    ['guards', { on: { RESUME: { guard: 'missing', target: 'a' } } }],
    ['guards', { always: { guard: 'missing', target: 'b' } }],
    ['delays', { after: { missing: 'b' } }],
  ])('would notice a missing name among the %s', (_kind, a) => {
    // A config that the types would reject, like a typing error in an untyped literal.
    const config: object = { initial: 'a', states: { a, b: {} } };
    expect(missingNames(setup({}).createMachine(config))).toEqual(['missing']);
  });

  it('describes itself and every state', () => {
    for (const node of stateNodes(provisionMachine.root)) expect(node.description, node.id).toMatch(/^\S.*[.?]$/);
  });

  it('has the states that the snapshot knows, and the transient `route`', () => {
    const { states } = provisionMachine.root;
    expect(new Set(Object.keys(states))).toEqual(new Set([...ACTIVE_STATES, ...FINAL_STATES, 'route']));
    const final = Object.values(states).filter(({ type }) => type === 'final');
    expect(new Set(final.map(({ key }) => key))).toEqual(new Set(FINAL_STATES));
  });

  it('names each effect like the state that runs it', () => {
    for (const node of Object.values(provisionMachine.root.states)) {
      for (const { id, src } of node.invoke) expect([node.key, id, src]).toEqual([node.key, node.key, node.key]);
    }
  });

  it('handles RESUME in every active state', () => {
    for (const state of ACTIVE_STATES) {
      expect(provisionMachine.root.states[state]?.ownEvents, state).toContain('RESUME');
    }
  });

  it.each([
    ['machine', ['xstate', './provision.policy.ts', './provision.states.ts']],
    ['states', []],
    ['policy', []],
  ])("opens in Stately's editor: provision.%s.ts imports only %j, apart from types", async (file, modules) => {
    const source = await readFile(new URL(`../../machines/provision.${file}.ts`, import.meta.url), 'utf8');
    const imports = [...source.matchAll(/^import (?!type )[^;]*?from '([^']+)'/gm)].map(([, module]) => module);
    expect(imports).toEqual(modules);
    expect(source).not.toMatch(/\bimport\(|\brequire\(/);
  });

  it('can reach every state from the start', () => {
    const reached = new Set<string>();
    const visit = (node: AnyStateNode): void => {
      if (reached.has(node.key)) return;
      reached.add(node.key);
      for (const { target } of [...transitionsOf(node), ...transitionsOf(provisionMachine.root)])
        target?.forEach(visit);
    };
    provisionMachine.root.initial.target?.forEach(visit);
    expect(reached).toEqual(new Set([...ACTIVE_STATES, ...FINAL_STATES, 'route']));
  });

  it('fails as INTERNAL when an effect is not provided', async () => {
    const actor = createActor(provisionMachine, { input: { runId: 'run-1', at: 0, knownStrategy: null } });
    actor.start();
    await toPromise(actor);
    expect(actor.getSnapshot().value).toBe('failed');
    expect(actor.getSnapshot().context.error).toMatchObject({ code: 'INTERNAL', situation: 'effect' });
  });
});
