import { fromPromise, type PromiseActorLogic } from 'xstate';
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
  /** Resolves when no effect is under way any more: a stopped actor does not wait for its effects. */
  settled(): Promise<void>;
}

/**
 * XState starts an effect before anybody sees the state that it belongs to. So an effect that can't be repeated
 * without harm first waits until that state is on disk: the record is queued one microtask after the start.
 */
async function pass(barrier: Barrier, signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  await barrier.durable();
  signal.throwIfAborted();
}

/**
 * Binds the effects to one run.
 *
 * Behind the barrier, with what would break without it:
 * - request: a request that nobody remembers would be taken for the first one after a power loss;
 * - write, restore: after a power loss the half of the run that had changed the configuration would not be known;
 * - finalize: with provision.txt gone and no state that says why, the run would count as withdrawn.
 * The others only read, or store what the next attempt finds and takes up again (docs/architecture.md).
 */
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
  const actors = {
    detect: free<'detect'>(detect),
    validate: free<'validate'>(validate),
    prepare: free<'prepare'>(prepare),
    request: behindBarrier<'request'>(request),
    reconcile: free<'reconcile'>(reconcile),
    verifyCredentials: free<'verifyCredentials'>(verifyCredentials),
    backup: free<'backup'>(backup),
    write: behindBarrier<'write'>(write),
    restore: behindBarrier<'restore'>(restore),
    finalize: behindBarrier<'finalize'>(finalize),
  };
  return { actors, settled: () => Promise.allSettled(underWay).then(() => {}) };
}
