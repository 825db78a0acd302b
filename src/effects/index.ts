import { fromPromise, type PromiseActorLogic } from 'xstate';
import { STATES } from '../../machines/provision.states.ts';
import type { EffectContracts, EffectError, EffectName } from '../../machines/provision.types.ts';
import { toFailureRecord } from '../failures/failure.ts';
import { backup } from './backup.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';
import { detect } from './detect.ts';
import { finalize } from './finalize.ts';
import { prepare } from './prepare.ts';
import { reconcile } from './reconcile.ts';
import { request } from './request.ts';
import { restore } from './restore.ts';
import { validate } from './validate.ts';
import { verifyCredentials } from './verifyCredentials.ts';
import { write } from './write.ts';

type Input<Name extends EffectName> = EffectContracts[Name]['input'];
type Output<Name extends EffectName> = EffectContracts[Name]['output'];
type Effect<Name extends EffectName> = (
  dependencies: EffectDependencies,
  call: EffectCall<Input<Name>>,
) => Promise<Output<Name>>;

/** The part of the snapshot writer that the barrier needs. */
export interface Barrier {
  durable(): Promise<void>;
}

export interface Effects {
  /** For `provisionMachine.provide({ actors })`. */
  readonly actors: { readonly [Name in EffectName]: PromiseActorLogic<Output<Name>, Input<Name>> };
  /** Resolves when no effect is running. A stopped actor does not wait for its effects. */
  settled(): Promise<void>;
}

/**
 * Waits until the state of the effect is on disk. XState starts an effect before the subscriber records the state, so
 * this waits one microtask for the record first.
 */
async function pass(barrier: Barrier, signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  await barrier.durable();
  signal.throwIfAborted();
}

/** Binds the effects to one run. The table of states says which effects wait for the barrier, and why. */
export function createEffects(dependencies: EffectDependencies, barrier: Barrier): Effects {
  const underWay = new Set<Promise<unknown>>();
  const free = <Name extends EffectName>(effect: Effect<Name>): PromiseActorLogic<Output<Name>, Input<Name>> =>
    fromPromise<Output<Name>, Input<Name>>(async ({ input, signal }) => {
      const running = effect(dependencies, { input, signal });
      underWay.add(running);
      try {
        return await running;
      } catch (error) {
        const effectError: EffectError = { failure: toFailureRecord(error), at: dependencies.clock.now() };
        throw effectError;
      } finally {
        underWay.delete(running);
      }
    });
  const behindBarrier = <Name extends EffectName>(effect: Effect<Name>) =>
    free<Name>(async (given, call) => {
      await pass(barrier, call.signal);
      return effect(given, call);
    });
  const bind = <Name extends EffectName>(name: Name, effect: Effect<Name>) =>
    STATES[name].effect === 'free' ? free<Name>(effect) : behindBarrier<Name>(effect);
  const actors = {
    detect: bind('detect', detect),
    validate: bind('validate', validate),
    prepare: bind('prepare', prepare),
    request: bind('request', request),
    reconcile: bind('reconcile', reconcile),
    verifyCredentials: bind('verifyCredentials', verifyCredentials),
    backup: bind('backup', backup),
    write: bind('write', write),
    restore: bind('restore', restore),
    finalize: bind('finalize', finalize),
  };
  return { actors, settled: () => Promise.allSettled(underWay).then(() => {}) };
}
