import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { copyDisk, type DiskFolder, loadFolder } from './powerLossDisk.ts';
import { walk } from './powerLossPoints.ts';
import { replayOn } from './powerLossReplay.ts';
import { type LossLimits, lossStates, stateKey } from './powerLossStates.ts';
import { parseTrace, type SystemCall } from './powerLossTrace.ts';

const LIMITS: LossLimits = { outcomes: 64, states: 64, notes: new Set(['lock']) };

let folder: string;
let disk: DiskFolder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'power-loss-test-'));
  await writeFile(join(folder, 'file'), 'old');
  disk = await loadFolder(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
const quoted = (name: string): string => `"${hex(join(folder, name))}"`;
const opened = (name: string, fd: number, flags = 'O_WRONLY|O_CREAT|O_EXCL'): string =>
  `1 openat(AT_FDCWD<${hex('/')}>, ${quoted(name)}, ${flags}, 0600) = ${fd}<${hex(join(folder, name))}>`;
const written = (fd: number, text: string): string => `1 write(${fd}<${hex('f')}>, "${hex(text)}", 9) = ${text.length}`;
const synced = (fd: number): string => `1 fsync(${fd}<${hex('f')}>) = 0`;
const renamed = (from: string, to: string): string => `1 rename(${quoted(from)}, ${quoted(to)}) = 0`;
const folderSynced = (): string[] => [
  `1 openat(AT_FDCWD<${hex('/')}>, "${hex(folder)}", O_RDONLY|O_DIRECTORY) = 9<${hex(folder)}>`,
  synced(9),
];
const callsOf = (...lines: string[]): SystemCall[] => parseTrace(lines.join('\n'));

/** The contents of file `name` that are possible after a power loss at the end of these calls; undefined: no file. */
function outcomes(name: string, ...lines: string[]): Set<string | undefined> {
  const replay = replayOn(folder, disk);
  for (const call of callsOf(...lines)) replay.apply(call);
  return new Set([...lossStates(disk, LIMITS)].map(({ files }) => files.get(name)?.bytes.toString('latin1')));
}

describe('a power loss', () => {
  it('without fsync of the file leaves nothing, a part, zeros or all of the new content', () => {
    expect(outcomes('file', opened('file.tmp', 5), written(5, 'new!'), renamed('file.tmp', 'file'))).toEqual(
      new Set(['old', '', 'ne', '\0\0\0\0', 'ne\0\0', 'new!']),
    );
  });

  it('without fsync of the folder leaves the old or the new file, but never a part', () => {
    const calls = [opened('file.tmp', 5), written(5, 'new!'), synced(5), renamed('file.tmp', 'file')];
    expect(outcomes('file', ...calls)).toEqual(new Set(['old', 'new!']));
  });

  it('after both fsyncs leaves only the new file, without a second name', () => {
    const calls = [opened('file.tmp', 5), written(5, 'new!'), synced(5), renamed('file.tmp', 'file')];
    expect(outcomes('file', ...calls, ...folderSynced())).toEqual(new Set(['new!']));
    expect([...lossStates(disk, LIMITS)]).toHaveLength(1);
  });

  it('treats an injected success of fsync as no fsync', () => {
    const lie = synced(5).replace('= 0', '= 0 (INJECTED)');
    expect(outcomes('file', opened('file.tmp', 5), written(5, 'new!'), lie, renamed('file.tmp', 'file'))).toContain('');
  });

  it('may leave nothing of a file that was written in place', () => {
    expect(outcomes('file', opened('file', 5, 'O_WRONLY|O_TRUNC'), written(5, 'new!'))).toContain('');
  });

  it('after an unlink without fsync leaves the file or no file', () => {
    expect(outcomes('file', `1 unlink(${quoted('file')}) = 0`)).toEqual(new Set(['old', undefined]));
    expect(outcomes('file', ...folderSynced())).toEqual(new Set([undefined]));
  });

  it('gives notes every shape in turn, without additional states', () => {
    const replay = replayOn(folder, disk);
    for (const call of callsOf(opened('lock', 5), written(5, 'pid'))) replay.apply(call);
    const states = [...lossStates(disk, LIMITS)];
    expect(new Set(states.map((state) => stateKey(state, LIMITS.notes))).size).toBe(1);
  });

  it('leaves the same on a copy of the disk, and changes of the copy do not change the disk', () => {
    outcomes('file', opened('file.tmp', 5), written(5, 'new!'), renamed('file.tmp', 'file'));
    const before = [...lossStates(disk, LIMITS)].map((state) => stateKey(state, LIMITS.notes));
    const copy = copyDisk(disk);
    expect([...lossStates(copy, LIMITS)].map((state) => stateKey(state, LIMITS.notes))).toEqual(before);
    const replay = replayOn(folder, copy);
    for (const call of callsOf(...folderSynced())) replay.apply(call);
    expect([...lossStates(disk, LIMITS)]).toHaveLength(before.length);
  });
});

describe('a trace', () => {
  it('joins the two lines of a call that another thread interrupts', () => {
    const [begun, ended] = callsOf(
      `7 write(5<${hex('f')}>, "${hex('abc')}", 3 <unfinished ...>`,
      '8 close(6) = 0',
      '7 <... write resumed>) = 3',
    ).filter(({ name }) => name === 'write');
    expect(begun).toMatchObject({ descriptor: 5, result: undefined });
    expect(ended).toMatchObject({ descriptor: 5, result: 3, strings: [Buffer.from('abc')] });
  });

  it('is refused when a string is truncated or the model does not know the call', () => {
    expect(() => callsOf(`1 write(5<${hex('f')}>, "${hex('abc')}"..., 9) = 9`)).toThrow('truncated a string');
    expect(() => outcomes('file', `1 link(${quoted('file')}, ${quoted('other')}) = 0`)).toThrow('link is unknown');
    expect(() => outcomes('file', renamed('nothing', 'file'))).toThrow('does not know');
  });
});

describe('the promise oracle', () => {
  const stored = { type: 'ACCESS_TOKEN', token: 'token-of-it' } as const;
  const login = { deviceId: 'camera', credentials: stored };
  const facts = { configBefore: undefined, configsAfter: [], login };
  const credentials = JSON.stringify({ candidates: [{ name: 'camera', credentials: stored }] });
  const told = `1 write(2<${hex('pipe')}>, "${hex('{"event":"candidate.drawn"}')}", 9) = 27`;

  it('finds exactly the told facts that a power loss makes untrue', async () => {
    await writeFile(join(folder, 'provision.txt'), '');
    await rm(join(folder, 'file'));
    const violations = async (...lines: string[]): Promise<readonly string[]> => {
      const fresh = await loadFolder(folder);
      const course = { label: 'test', folder, disk: fresh, calls: callsOf(...lines), facts };
      return walk(course, LIMITS, 100).violations;
    };
    const state = 'provision-state';
    const made = [
      `1 mkdir(${quoted(state)}, 0700) = 0`,
      ...folderSynced(),
      opened(`${state}/credentials.json`, 5),
      written(5, credentials),
      synced(5),
      `1 openat(AT_FDCWD<${hex('/')}>, ${quoted(state)}, O_RDONLY|O_DIRECTORY) = 6<${hex(state)}>`,
    ];
    const untrue = (problems: readonly string[]) => problems.filter((problem) => problem.includes('no longer true'));
    expect(untrue(await violations(...made, synced(6), told))).toEqual([]);
    expect(untrue(await violations(...made, told))).toHaveLength(1);
    expect(untrue(await violations(...made, told, synced(6)))).toHaveLength(1);
  });
});

describe('the mutants', () => {
  it.each(MUTANTS)('$name: the place to change occurs exactly once', async ({ file, find }) => {
    expect((await readFile(file, 'utf8')).split(find)).toHaveLength(2);
  });
});
