/** Contests of several agents. Each contest has its own device folders. */

import { execFile } from 'node:child_process';
import { chown, mkdir, symlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EXIT } from '../../../../src/failures/exit.ts';
import { isRoot } from '../../../support/unprivileged.ts';
import { type AgentEnding, completionProblems, instantProblems } from '../invariants.ts';
import { type GuardedDevice, openDevice, type RunningAgent, startAgent, until } from './agents.ts';

export interface Contest {
  readonly name: string;
  /** @returns problems; undefined: the contest is not possible on this machine */
  hold(agent: string, folder: string): Promise<ContestResult | undefined>;
}

export interface ContestResult {
  readonly problems: readonly string[];
  /** Number of agents that met another agent. */
  readonly meetings: number;
}

const NOBODY = 65_534;

const lastLine = (output: string): string => output.trimEnd().split('\n').at(-1) ?? '';

/** A holder that gets no time to run, among twenty others on two cores, does not tell its pid within the second. */
const SAYS_SOMEBODY = 'its process id is unknown';

/** Checks that all other agents end at once, name the holder of the lock, and start no run. */
async function refusals(losers: readonly RunningAgent[], holder: RunningAgent): Promise<string[]> {
  const endings = await Promise.all(losers.map(({ ended }) => ended));
  const naming = endings.filter(({ output }) => output.includes(`process ${holder.pid}`));
  const problems = endings.flatMap(({ status, output }) => {
    if (status !== EXIT.TEMPFAIL)
      return [`an agent that must find the lock taken ended with ${status}: ${lastLine(output)}`];
    return output.includes('run.started') || output.includes('run.resumed') ? ['a refused agent started a run'] : [];
  });
  const silent = endings.filter((one) => !naming.includes(one) && !one.output.includes(SAYS_SOMEBODY));
  return [
    ...problems,
    ...(naming.length > 0 || losers.length === 0 ? [] : ['no agent named the holder of the lock']),
    ...silent.map(() => 'an agent did not name the holder of the lock'),
  ];
}

async function success(holder: RunningAgent, device: GuardedDevice, others: readonly AgentEnding[]): Promise<string[]> {
  const ending = await holder.ended;
  const output = [ending, ...others].map((one) => one.output).join('\n');
  return [
    ...(ending.status === 0 ? [] : [`the holder of the lock ended with ${ending.status}: ${lastLine(ending.output)}`]),
    ...(await completionProblems(device)),
    ...(await instantProblems(device, output)),
  ];
}

/**
 * Lets agents compete for one folder: delays the holder until all other agents have ended, then releases it.
 * @param former number of connections of killed agents
 */
async function compete(agents: readonly RunningAgent[], device: GuardedDevice, former = 0): Promise<string[]> {
  const running = (): readonly RunningAgent[] => agents.filter((agent) => !agent.hasEnded());
  const together = (): boolean => device.connections() - former > 1;
  await until(() => together() || (running().length <= 1 && device.connections() > former));
  const [holder, ...more] = running();
  if (together() || holder === undefined || more.length > 0) {
    device.letGo();
    await Promise.all(agents.map(({ ended }) => ended));
    return [
      together()
        ? 'two agents work on one folder'
        : `${more.length} other agents have not ended, or no agent holds the lock`,
    ];
  }
  const losers = agents.filter((agent) => agent !== holder);
  const refused = await refusals(losers, holder);
  device.letGo();
  return [...refused, ...(await success(holder, device, await Promise.all(losers.map(({ ended }) => ended))))];
}

async function withDevice<T>(folder: string, work: (device: GuardedDevice) => Promise<T>): Promise<T> {
  const device = await openDevice(folder);
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

const sameMoment = (count: number): Contest => ({
  name: `${count} agents start at the same moment`,
  hold: (agent, folder) =>
    withDevice(folder, async (device) => {
      const agents = Array.from({ length: count }, () => startAgent(agent, folder));
      return { problems: await compete(agents, device), meetings: count - 1 };
    }),
});

const killedHolder = (successors: number): Contest => ({
  name: `the holder is killed, and ${successors} agents compete for the lock`,
  hold: (agent, folder) =>
    withDevice(folder, async (device) => {
      const holder = startAgent(agent, folder);
      const held = await device.held();
      holder.kill();
      await holder.ended;
      const agents = Array.from({ length: successors }, () => startAgent(agent, folder));
      return {
        problems: [...(held ? [] : ['no agent held the lock']), ...(await compete(agents, device, 1))],
        meetings: successors,
      };
    }),
});

/** @param uid user of the holder @param rival user of the other agent; undefined: root */
const otherUser = (uid: number | undefined, rival: number | undefined): Contest => ({
  name: `the holder is ${uid === undefined ? 'root' : 'another user'}, the other agent ${rival === undefined ? 'root' : 'not'}`,
  hold: async (agent, folder) => {
    if (!isRoot) return undefined;
    return withDevice(folder, async (device) => {
      const { paths } = device;
      for (const path of [folder, paths.provisionJson, paths.thermalConfig, paths.provisionTxt]) {
        await chown(path, NOBODY, NOBODY);
      }
      const holder = startAgent(agent, folder, uid);
      const held = await device.held();
      const other = startAgent(agent, folder, rival);
      return {
        problems: [...(held ? [] : ['no agent held the lock']), ...(await compete([holder, other], device))],
        meetings: 1,
      };
    });
  },
});

const twoFolders = (each: number): Contest => ({
  name: `${each} agents on each of two folders`,
  hold: (agent, folder) =>
    withDevice(`${folder}-a`, (first) =>
      withDevice(`${folder}-b`, async (second) => {
        const agents = Array.from({ length: each }, () => [
          startAgent(agent, first.paths.deviceFolder),
          startAgent(agent, second.paths.deviceFolder),
        ]);
        const competitors = [agents.flatMap(([one]) => one ?? []), agents.flatMap(([, other]) => other ?? [])] as const;
        // Release both only when both hold their locks: an agent in one folder must not block the other folder.
        const both = (await first.held()) && (await second.held());
        const problems = await Promise.all([compete(competitors[0], first), compete(competitors[1], second)]);
        return {
          problems: [...(both ? [] : ['an agent did not get the lock of its folder']), ...problems.flat()],
          meetings: 2 * (each - 1),
        };
      }),
    ),
});

const twoPaths = (how: 'a symbolic link' | 'a detour' | 'a bind mount', linkFirst: boolean): Contest => ({
  name: `one folder by its path and by ${how}, ${linkFirst ? 'the second path' : 'the path'} first`,
  hold: async (agent, folder) => {
    if (how === 'a bind mount' && !isRoot) return undefined;
    return withDevice(folder, async (device) => {
      const other = how === 'a detour' ? `${folder}/../${folder.split('/').at(-1)}/.` : `${folder}-other`;
      if (how === 'a symbolic link') await symlink(folder, other);
      const mounted = how === 'a bind mount' && (await bindMount(folder, other));
      if (how === 'a bind mount' && !mounted) return undefined;
      try {
        const [holderPath, rivalPath] = linkFirst ? [other, folder] : [folder, other];
        const holder = startAgent(agent, holderPath);
        const held = await device.held();
        const rivals = [startAgent(agent, rivalPath), startAgent(agent, rivalPath)];
        const problems = await compete([holder, ...rivals], device);
        return { problems: [...(held ? [] : ['no agent held the lock']), ...problems], meetings: rivals.length };
      } finally {
        if (mounted) await promisify(execFile)('umount', [other]);
      }
    });
  },
});

/** @returns whether the mount succeeded: containers often may not mount */
async function bindMount(folder: string, target: string): Promise<boolean> {
  await mkdir(target);
  return promisify(execFile)('mount', ['--bind', folder, target]).then(
    () => true,
    () => false,
  );
}

export const CONTESTS: readonly Contest[] = [
  sameMoment(20),
  killedHolder(1),
  killedHolder(5),
  otherUser(NOBODY, undefined),
  otherUser(undefined, NOBODY),
  twoFolders(5),
  twoPaths('a symbolic link', false),
  twoPaths('a symbolic link', true),
  twoPaths('a detour', true),
  twoPaths('a bind mount', false),
  twoPaths('a bind mount', true),
];
