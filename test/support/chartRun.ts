import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Actor, createActor, fromPromise, SimulatedClock } from 'xstate';
import { provisionMachine } from '../../machines/provision.machine.ts';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type {
  EffectContracts,
  EffectError,
  EffectName,
  FailureRecord,
  ProvisionContext,
  ProvisionEvent,
  TriggerIdentity,
} from '../../machines/provision.types.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import { wordedFailure } from '../../src/failures/failure.ts';
import { type Answer, answers, DIGEST, TRIGGER } from './chartAnswers.ts';
import { failureRecord } from './failureRecord.ts';

type Input<Name extends EffectName> = EffectContracts[Name]['input'];
type Output<Name extends EffectName> = EffectContracts[Name]['output'];

interface Waiting<Name extends EffectName> {
  readonly input: Input<Name>;
  resolve(output: Output<Name>): void;
  reject(error: unknown): void;
}
type WaitingByName = { readonly [Name in EffectName]: Waiting<Name>[] };

/** The part of a run that the snapshot stores. */
export interface Persisted {
  readonly state: ProvisionState;
  readonly context: ProvisionContext;
}

/** An effect that the chart has started. */
export interface StartedEffect {
  readonly name: EffectName;
  /** Simulated time, ms since the start of the process. */
  readonly at: number;
}

export interface ResumeOptions {
  /** Wall clock of the new process, ms since the epoch; default: no time has passed. */
  readonly at?: number;
  readonly trigger?: TriggerIdentity | null;
  /** Default: provision.json is unchanged. */
  readonly settingsDigest?: string | null;
}

/** Wall clock at the start of a run, ms since the epoch. */
export const START = Date.UTC(2026, 10, 23, 10, 0, 0);

/** The chart in simulated time, with stubbed effects: each effect waits until the test ends it. */
export interface ChartRun {
  readonly effects: readonly StartedEffect[];
  state(): ProvisionState | 'route';
  context(): ProvisionContext;
  /** The failure of the run, with its message. */
  error(): FailureRecord | null;
  isDone(): boolean;
  /** Wall clock, ms since the epoch. */
  now(): number;
  /** The running effect. */
  underWay(): EffectName | undefined;
  input<Name extends EffectName>(name: Name): Input<Name>;
  answer<Name extends EffectName>(name: Name, answer?: Answer<Name>): Promise<void>;
  /** The effect rejects with a failure, as the real effects do. */
  fail(name: EffectName, code: FailureCode): Promise<void>;
  /** The effect rejects with an unexpected error. */
  throwIn(name: EffectName, error: unknown): Promise<void>;
  /** Advances the time, ms. */
  wait(ms: number): Promise<void>;
  /** The rest of the running pause, ms; undefined without a pause. */
  pauseLeft(): number | undefined;
  send(event: ProvisionEvent): Promise<void>;
  /** Ends every effect with its usual output until the chart enters the state. */
  until(state: ProvisionState): Promise<void>;
  /** State and context as the snapshot stores them (through JSON). */
  persisted(): Persisted;
  /** The process dies, and the next process resumes the run. */
  resumed(options?: ResumeOptions): Promise<ChartRun>;
}

interface Beginning {
  readonly now: number;
  readonly from?: Persisted;
}

/** Starts a run at `detect`. */
export function startChart(): ChartRun {
  return beginRun({ now: START });
}

/** A run without failures that has reached a state. */
export async function chartAt(state: ProvisionState): Promise<ChartRun> {
  const run = startChart();
  await run.until(state);
  return run;
}

/** Restores a run as the agent does: `{ state, context }`, then RESUME. */
export async function resumeChart(from: Persisted, options: ResumeOptions = {}): Promise<ChartRun> {
  const at = options.at ?? from.context.now;
  const run = beginRun({ now: at, from });
  const { trigger = TRIGGER, settingsDigest = DIGEST } = options;
  await run.send({ type: 'RESUME', at, trigger, settingsDigest });
  return run;
}

function beginRun({ now: startedAt, from }: Beginning): ChartRun {
  const clock = new SimulatedClock();
  const effects: StartedEffect[] = [];
  const waiting: WaitingByName = {
    detect: [],
    validate: [],
    prepare: [],
    request: [],
    reconcile: [],
    verifyCredentials: [],
    backup: [],
    write: [],
    restore: [],
    finalize: [],
  };
  let underWay: EffectName | undefined;
  let due: number | undefined;
  const now = (): number => startedAt + clock.now();

  const stub = <Name extends EffectName>(name: Name) =>
    fromPromise<Output<Name>, Input<Name>>(
      ({ input }) =>
        new Promise((resolve, reject) => {
          waiting[name].push({ input, resolve, reject });
          underWay = name;
          effects.push({ name, at: clock.now() });
        }),
    );
  const machine = provisionMachine.provide({
    actors: {
      detect: stub('detect'),
      validate: stub('validate'),
      prepare: stub('prepare'),
      request: stub('request'),
      reconcile: stub('reconcile'),
      verifyCredentials: stub('verifyCredentials'),
      backup: stub('backup'),
      write: stub('write'),
      restore: stub('restore'),
      finalize: stub('finalize'),
    },
  });
  const input = { runId: 'run-1', at: startedAt, knownStrategy: null };
  const timers = {
    setTimeout: (callback: () => void, ms: number) => {
      due = clock.now() + ms;
      return clock.setTimeout(() => {
        due = undefined;
        callback();
      }, ms);
    },
    clearTimeout: (id: number) => {
      due = undefined;
      clock.clearTimeout(id);
    },
  };
  const actor: Actor<typeof provisionMachine> =
    from === undefined
      ? createActor(machine, { clock: timers, input })
      : createActor(machine, {
          clock: timers,
          input,
          snapshot: machine.resolveState({ value: from.state, context: from.context }),
        });
  actor.start();

  const take = <Name extends EffectName>(name: Name): Waiting<Name> => {
    const entry = waiting[name].at(-1);
    if (underWay !== name || entry === undefined) {
      throw new Error(`${name} is not running, but ${underWay ?? 'nothing'} (state ${String(run.state())})`);
    }
    return entry;
  };
  const settle = async <Name extends EffectName>(name: Name, end: (entry: Waiting<Name>) => void): Promise<void> => {
    const entry = take(name);
    underWay = undefined;
    end(entry);
    await nextTurn();
  };

  const run: ChartRun = {
    effects,
    state: () => actor.getSnapshot().value,
    context: () => actor.getSnapshot().context,
    error: () => {
      const { error } = actor.getSnapshot().context;
      return error === null ? null : wordedFailure(error);
    },
    isDone: () => actor.getSnapshot().status === 'done',
    now,
    underWay: () => underWay,
    input: (name) => take(name).input,
    answer: (name, answer = answers[name]) => settle(name, (entry) => entry.resolve(answer(now(), entry.input))),
    fail: (name, code) => {
      const failure = failureRecord(code, `${code} in ${name}`);
      const error: EffectError = { failure, at: now() };
      return run.throwIn(name, error);
    },
    throwIn: (name, error) => settle(name, (entry) => entry.reject(error)),
    wait: async (ms) => {
      clock.increment(ms);
      await nextTurn();
    },
    pauseLeft: () => (due === undefined ? undefined : due - clock.now()),
    send: async (event) => {
      actor.send(event);
      await nextTurn();
    },
    until: async (state) => {
      while (run.state() !== state) {
        const pause = run.pauseLeft();
        if (underWay !== undefined) await run.answer(underWay);
        else if (pause !== undefined) await run.wait(pause);
        else throw new Error(`${state} is not reached; the run waits in ${String(run.state())}`);
      }
    },
    persisted: () => {
      const { value, context } = actor.getSnapshot();
      const persisted: Persisted = JSON.parse(JSON.stringify({ state: value, context }));
      return persisted;
    },
    resumed: async (options) => {
      const persisted = run.persisted();
      actor.stop();
      return resumeChart(persisted, options);
    },
  };
  return run;
}
