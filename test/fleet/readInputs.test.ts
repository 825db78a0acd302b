import { cp, mkdir, open, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { countFleet, type Fleet } from '../../src/fleet/fleet.ts';
import { readInputs } from '../../src/fleet/readInputs.ts';
import { sortKeys } from '../../src/status/statusJson.ts';
import { cutIn, deviceFolderFor, runDevice, scene } from '../support/agentRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { failedDocument, statusDocument } from '../support/fleetDocuments.ts';
import { closedPort } from '../support/strangeServers.ts';

const SECRET = 'never-shown-secret';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(inputs: readonly string[], standardInput: AsyncIterable<Buffer> = chunks()): Promise<Fleet> {
  const count = countFleet();
  await readInputs(inputs, count, standardInput);
  return count.result();
}

/** A folder with these files. */
async function folderWith(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await makeFolder(onTestFinished);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** The inputs that are not counted, without the folder. */
const refused = (fleet: Fleet, folder: string): string[] =>
  fleet.refused.map(({ source, refusal, why }) => `${source.replace(folder, '')} ${refusal}: ${why}`);

const text = (device: string): string => JSON.stringify(sortKeys(statusDocument(device)), null, 2);
const line = (device: string): string => `${JSON.stringify(statusDocument(device))}\n`;

describe('the inputs', () => {
  it('are files in every layout, in folders and named, each read once', async () => {
    const folder = await folderWith({
      'a.json': text('cam-1'),
      b: line('cam-2') + line('cam-3'),
      'c.json': `[${text('cam-4')},${text('cam-5')}]`,
      'd.txt': Buffer.from(`\ufeff${text('cam-6')}`, 'utf16le'),
    });
    await symlink(join(folder, 'a.json'), join(folder, 'z.json'));
    const fleet = await read(
      [folder, join(folder, 'a.json'), '-', '-'],
      chunks(line('cam-7').slice(0, 9), line('cam-7').slice(9)),
    );
    expect(fleet.cameras.map(({ device, source }) => `${device} ${source.replace(folder, '')}`)).toEqual([
      // Files are read at the same time, so either name may be the first.
      expect.stringMatching(/^cam-1 \/[az]\.json$/),
      'cam-2 /b',
      'cam-3 /b:2',
      'cam-4 /c.json',
      expect.stringMatching(/^cam-5 \/c\.json:\d+$/),
      'cam-6 /d.txt',
      'cam-7 standard input',
    ]);
    expect(fleet).toMatchObject({ older: 0, refused: [] });
  });

  it('that are damaged, foreign or newer are counted and named, and never shown', async () => {
    const done: Record<string, unknown> = statusDocument('cam-1');
    const folder = await folderWith({
      'array.json': '[]',
      'cut.json': text(SECRET).slice(0, 500),
      'empty.json': '',
      'foreign.json': JSON.stringify({ device_secret: SECRET }),
      'good.json': text('cam-1'),
      'newer.json': JSON.stringify({ ...done, version: 2, secret: SECRET }),
      'notes.txt': `ssh camera-7: ${SECRET}`,
      'other.json': `${SECRET}\n`,
      'unknown-key.json': JSON.stringify({ ...done, [SECRET]: 1 }),
      'wrong.json': JSON.stringify({ ...done, state: { ...statusDocument('').state, step: SECRET } }),
    });
    await mkdir(join(folder, 'folder'));
    await mkdir(join(folder, 'nothing'));
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, 'folder', 'cam.json'), text('cam-2'));
    await symlink('nowhere', join(folder, 'dangling.json'));
    const fleet = await read([folder, join(folder, 'absent')]);
    expect(fleet.cameras.map(({ name }) => name)).toEqual(['cam-1']);
    expect(refused(fleet, folder)).toEqual([
      '/absent unreadable: does not exist',
      '/array.json empty: holds no document',
      '/cut.json damaged: the document is cut off',
      '/dangling.json unreadable: does not exist',
      '/empty.json empty: empty',
      '/folder foreign: a folder, but not of a device',
      '/foreign.json foreign: JSON, but not of status --format json',
      '/newer.json newer: version 2 of the status document; this program knows 1',
      '/notes.txt foreign: not JSON',
      '/nothing empty: the folder is empty',
      '/other.json damaged: not JSON',
      '/unknown-key.json damaged: not as the schema says',
      '/wrong.json damaged: not as the schema says (state.step)',
    ]);
    expect(JSON.stringify(fleet)).not.toContain(SECRET);
  });

  it('of 100 MB in one document are refused without being kept in memory', async () => {
    const folder = await folderWith({ 'large.json': '{"format":"thermal-provision-status","message":"' });
    const handle = await open(join(folder, 'large.json'), 'r+');
    await handle.truncate(100 * 1024 * 1024);
    await handle.close();
    const before = process.memoryUsage().rss;
    const fleet = await read([folder]);
    expect(refused(fleet, folder)).toEqual(['/large.json too large: the document has more than 1048576 bytes']);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
  });
});

describe('device folders', () => {
  it('are read as copies from other machines: neither board nor storage of this machine count', async () => {
    const { paths, simulator } = await scene();
    await runDevice(paths);
    const unfinished = await deviceFolderFor(simulator.port);
    await cutIn(unfinished, 'request', { boardId: 'another board' });
    const failed = await deviceFolderFor(await closedPort());
    await runDevice(failed);
    const collected = await makeFolder(onTestFinished);
    for (const [name, { deviceFolder }] of Object.entries({ done: paths, failed, unfinished })) {
      await cp(deviceFolder, join(collected, name), { recursive: true });
    }
    // An operator may leave the files with secrets out.
    await rm(join(collected, 'done', 'provision.json'));
    const fleet = await read([collected]);
    expect(
      fleet.cameras.map(({ source, status, problem }) => [source.replace(collected, ''), status, problem?.code]),
    ).toEqual([
      ['/failed', 'error', 'CONNECTION_REFUSED'],
      ['/unfinished', 'degraded', 'INTERRUPTED'],
      ['/done', 'done', undefined],
    ]);
    for (const { seenAt } of fleet.cameras) expect(Math.abs((seenAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(fleet.refused).toEqual([]);
  });

  it('of several days count with their newest record, not with their time of reading', async () => {
    const { paths } = await scene({}, { provisioning: { device_key: 'wrong' } });
    await runDevice(paths);
    const collected = await makeFolder(onTestFinished);
    await cp(paths.deviceFolder, join(collected, 'monday'), { recursive: true });
    await runDevice(paths);
    await cp(paths.deviceFolder, join(collected, 'tuesday'), { recursive: true });
    const later = await read([join(collected, 'tuesday'), join(collected, 'monday')]);
    expect(later.cameras.map(({ source }) => source)).toEqual([join(collected, 'tuesday')]);
    expect(later.older).toBe(1);
  });
});

it('gives the time of a document, not of its reading', async () => {
  const checkedAt = '2020-01-01T00:00:00.000Z';
  const fleet = await read(['-'], chunks(JSON.stringify(failedDocument('cam-1', {}, { checkedAt }))));
  expect(fleet.cameras.map(({ seenAt }) => seenAt)).toEqual([Date.parse(checkedAt)]);
});
