/** Imports of the sources: no circles, and one direction from room to room. */

import { describe, expect, it } from 'vitest';
import { importsOf, type Source, sourcesIn } from './sources.ts';

const PROGRAM = sourcesIn('machines', 'src');
const ALL = [...PROGRAM, ...sourcesIn('scripts', 'bench', 'test')];

/** The sources in a circle of imports or between two circles: removes the ends until nothing more can be removed. */
function inCircles(sources: readonly Pick<Source, 'path' | 'imports'>[]): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  const imported = new Set(sources.flatMap(({ imports }) => imports.map(({ target }) => target)));
  const rest = sources.filter(
    ({ path, imports }) => imported.has(path) && imports.some(({ target }) => paths.has(target)),
  );
  return rest.length === sources.length ? [...paths].sort() : inCircles(rest);
}

/** Every source that the given ones import, themselves included, over any number of steps. */
function reachedFrom(entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set(entries);
  // A set tells its loop of what is added meanwhile.
  for (const path of reached) {
    for (const { target } of PROGRAM.find((source) => source.path === path)?.imports ?? []) reached.add(target);
  }
  return reached;
}

/** Rooms that every room with access to a device may import. */
const DEVICE = [
  ...[
    'endpoint.ts',
    'secret.ts',
    'deviceCredentials.ts',
    'machines',
    'time',
    'failures',
    'files',
    'log',
    'device',
    'config',
    'state',
  ],
];

/** The rooms and files of src, and the rooms that each may import: only rooms above it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'secret.ts': [],
  'endpoint.ts': ['secret.ts'],
  'deviceCredentials.ts': ['endpoint.ts', 'secret.ts'],
  'version.ts': [],
  'x509.ts': [],
  'nodeVersion.ts': [],
  machines: [],
  time: [],
  systemd: [],
  failures: ['endpoint.ts', 'machines'],
  files: ['failures'],
  log: ['machines', 'time', 'systemd', 'files'],
  history: ['log'],
  device: ['secret.ts', 'deviceCredentials.ts', 'x509.ts', 'machines', 'failures', 'files', 'log'],
  config: ['endpoint.ts', 'secret.ts', 'deviceCredentials.ts', 'failures', 'files', 'log', 'device'],
  state: ['secret.ts', 'deviceCredentials.ts', 'machines', 'time', 'failures', 'files', 'log', 'device'],
  thingsboard: ['endpoint.ts', 'secret.ts', 'deviceCredentials.ts', 'time', 'failures'],
  effects: [...DEVICE, 'thingsboard'],
  provision: [...DEVICE, 'history', 'thingsboard', 'effects'],
  client: [...DEVICE, 'history', 'thingsboard'],
  doctor: [...DEVICE, 'thingsboard'],
  status: [...DEVICE, 'history', 'provision'],
  report: ['endpoint.ts', 'machines', 'time', 'log', 'history', 'state', 'status'],
  fleet: ['endpoint.ts', 'time', 'failures', 'device', 'history', 'status', 'report'],
  watch: ['endpoint.ts', 'machines', 'time', 'failures', 'history', 'report'],
  simulator: ['endpoint.ts', 'x509.ts', 'failures', 'files'],
  cli: [
    ...DEVICE,
    ...['version.ts', 'systemd', 'history', 'provision', 'client', 'doctor', 'status', 'report', 'watch', 'simulator'],
    'fleet',
  ],
  'index.ts': [...DEVICE, 'version.ts', 'provision', 'status'],
  'main.ts': ['nodeVersion.ts', 'cli'],
  'deviceMain.ts': ['nodeVersion.ts', 'cli'],
  'libraryMain.ts': ['nodeVersion.ts', 'index.ts'],
};

const roomOf = (path: string): string => /^(?:src\/)?([^/]+)/.exec(path)?.[1] ?? path;

/** Libraries that only one room uses, so that only this room changes with them. */
const ONE_ROOM: Readonly<Record<string, string>> = {
  commander: 'cli',
  diff: 'doctor',
  winston: 'log',
  '@statelyai/inspect': 'watch',
  ws: 'watch',
};

describe('the imports', () => {
  it('of a source are recognised in every form', () => {
    const text = [
      "import a from './a.ts';",
      "import './b.ts';",
      "import {\n  c,\n  type d,\n} from '../c.ts';",
      "import type { e } from 'e';",
      "export { f } from '@f/f/deep';",
      "export type { g } from 'node:fs/promises';",
      "const h = await import('./h.ts');",
      "const i: typeof import('i/part') = h;",
      "export const from = './none.ts';",
      ' const text = "import x from \'./none.ts\'";',
    ].join('\n');
    expect(importsOf('src/room/x.ts', text).map(({ target, kind }) => `${kind} ${target}`)).toEqual([
      ...['loads src/room/a.ts', 'loads src/room/b.ts', 'loads src/c.ts', 'type e', 'loads @f/f', 'type node:fs'],
      ...['later src/room/h.ts', 'later i'],
    ]);
    const targets = new Set(ALL.map(({ path }) => path));
    const lost = ALL.flatMap(({ imports }) => imports.map(({ target }) => target)).filter(
      (target) => /^(src|machines)\/.*\.ts$/.test(target) && !targets.has(target),
    );
    expect(lost).toEqual([]);
    expect(PROGRAM.length).toBeGreaterThan(200);
  });

  it('lead from the program and the library to every source: none is forgotten on the way', () => {
    const reached = reachedFrom(['src/main.ts', 'src/deviceMain.ts', 'src/libraryMain.ts']);
    expect(PROGRAM.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });

  it('have no circle, types included', () => {
    expect(inCircles(ALL)).toEqual([]);
  });

  it('in a circle are found', () => {
    const source = (path: string, target: string) => ({ path, imports: [{ target, kind: 'type' as const }] });
    const circle = [source('a', 'b'), source('b', 'c'), source('c', 'a')];
    expect(inCircles([source('before', 'a'), ...circle, source('beside', 'after'), source('after', 'none')])).toEqual([
      ...['a', 'b', 'c'],
    ]);
  });

  it('of each room are rooms that it may import', () => {
    const wrong = PROGRAM.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => /^(src|machines|test|bench|scripts)\//.test(target))
        .filter(({ target }) => roomOf(target) !== roomOf(path))
        .filter(({ target }) => ROOMS[roomOf(path)]?.includes(roomOf(target)) !== true)
        .map(({ target }) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('have one direction: a room may import only rooms above it in the table', () => {
    const order = Object.keys(ROOMS);
    const wrong = Object.entries(ROOMS).flatMap(([room, known]) =>
      known.filter((other) => !order.slice(0, order.indexOf(room)).includes(other)).map((other) => `${room}: ${other}`),
    );
    expect(wrong).toEqual([]);
  });

  it('of a library are in its room only', () => {
    const users = (library: string): string[] =>
      PROGRAM.filter(({ imports }) => imports.some(({ target }) => target === library)).map(({ path }) => roomOf(path));
    const found = Object.keys(ONE_ROOM).map((library) => [library, [...new Set(users(library))].join()]);
    expect(Object.fromEntries(found)).toEqual(ONE_ROOM);
    const charts = PROGRAM.filter(({ path }) => path.startsWith('machines/'));
    const packages = charts
      .flatMap(({ imports }) => imports.map(({ target }) => target))
      .filter((to) => !to.includes('/'));
    expect([...new Set(packages)]).toEqual(['xstate']);
  });

  it.each(['src/simulator/certificate.ts', 'src/device/selfSigned.ts', 'src/x509.ts'])(
    'of %s, whose library is large, load it only when it is needed',
    (source) => {
      const kinds = PROGRAM.flatMap(({ imports }) => imports)
        .filter(({ target }) => target === source)
        .map(({ kind }) => kind);
      expect(kinds).toContain('later');
      expect(kinds).not.toContain('loads');
    },
  );
});
