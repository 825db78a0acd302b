import { basename, relative } from 'node:path';
import type { Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { ELSEWHERE_VARIABLES } from '../../src/config/provision/externalSettings.ts';
import { SETTINGS } from '../../src/config/provision/provisionSettings.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { LOG_LEVELS } from '../../src/log/log.ts';
import { RUN_TIME_LIMIT_MS } from '../../src/provision/pass.ts';
import { STATUS_EXIT } from '../../src/status/deviceStatus.ts';
import { loggedEvents, sources } from './logEvents.ts';
import { codeBlocks, readPage, rowsUnder, sectionOf } from './markdown.ts';

const page = readPage('docs/operations.md');

/** `--help` of the whole program, as it is printed. */
function helpText(): string {
  let text = '';
  const program = createProgram().configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  program.outputHelp();
  return text;
}

const unit = (): string => codeBlocks(page, 'ini').join('');

describe('the table of exit statuses', () => {
  const rows = rowsUnder(page, 'status');

  it('has every status of the code, by its name', () => {
    expect(rows.map(([status, name]) => [name, Number(status)])).toEqual(Object.entries(EXIT));
  });

  it('says what --help says', () => {
    const lines = [...helpText().matchAll(/^ +(\d+) {2}(?:([A-Z]+) +)?(\S.*)$/gm)];
    expect(lines.map(([, status, name = 'OK', meaning]) => [status, name, meaning])).toEqual(
      rows.map((row) => row.slice(0, 3)),
    );
  });

  it('agrees with the unit about what no restart helps against', () => {
    const hopeless = rows.filter((row) => row[3] === 'no').map(([, name]) => name);
    const [, prevented] = /^RestartPreventExitStatus=(.*)$/m.exec(unit()) ?? [];
    expect(prevented?.split(' ')).toEqual(hopeless);
  });
});

describe('the unit', () => {
  it('leaves a run the time that it gives itself', () => {
    const [, minutes] = /^TimeoutStartSec=(\d+)min$/m.exec(unit()) ?? [];
    expect(Number(minutes) * 60_000).toBeGreaterThan(RUN_TIME_LIMIT_MS);
  });

  it('looks for the files that bring work', () => {
    const [, folder = ''] = /^Environment=THERMAL_DIR=(.*)$/m.exec(unit()) ?? [];
    const paths = devicePaths(folder);
    const conditions = [...unit().matchAll(/^ConditionPathExists=\|(.*)$/gm)].map(([, path]) => path);
    expect(conditions).toEqual([paths.provisionTxt, paths.credentials]);
  });
});

it('names every file of a device', () => {
  const { deviceFolder, ...files } = devicePaths('/device');
  const described = rowsUnder(sectionOf(page, 'Where everything lies'), 'file').map(([name]) =>
    name?.replace(/\/$/, ''),
  );
  const names = Object.values(files).map((path) => relative(deviceFolder, path));
  expect(described).toEqual(expect.arrayContaining(names));
  expect(described).toContain(`${basename(files.thermalConfig)}.backup.<UTC time>`);
});

it('describes every setting of provision.json', () => {
  const spellings = Object.values(SETTINGS).map((setting) => setting.spellings[0]);
  expect(
    rowsUnder(page, 'key')
      .map(([key]) => key)
      .sort(),
  ).toEqual(spellings.sort());
});

it('explains every line of status', () => {
  const source = sources().get('status/statusText.ts') ?? '';
  const printed = [...source.matchAll(/\[\s*'([a-z ]+)', ?/g)].map(([, key]) => key);
  expect(printed).toContain('device');
  expect(
    rowsUnder(page, 'line')
      .map(([key]) => key)
      .sort(),
  ).toEqual([...new Set(printed)].sort());
});

it('explains every word of status, with its exit status', () => {
  expect(rowsUnder(page, 'word').map(([word, status]) => [word, Number(status)])).toEqual(Object.entries(STATUS_EXIT));
});

it('explains every condition that status knows beside the failure codes', () => {
  const list = /export type ConditionCode =([^;]*);/.exec(sources().get('status/part.ts') ?? '')?.[1] ?? '';
  const codes = [...list.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
  expect(codes).toContain('INTERRUPTED');
  expect(
    rowsUnder(page, 'condition')
      .map(([code]) => code)
      .sort(),
  ).toEqual(codes.sort());
});

describe('the tables of events', () => {
  const { levels, unreadable } = loggedEvents();
  const documented = rowsUnder(page, 'event').map(([event = '', level = '']) => ({ event, level }));

  it('have every event that the sources log, once, at its levels', () => {
    const shown = documented.map(({ event, level }) => [event, level.split(', ').sort()] as const);
    expect(new Map(shown)).toEqual(levels);
    expect(shown).toHaveLength(levels.size);
    for (const { level } of documented) for (const one of level.split(', ')) expect(LOG_LEVELS).toContain(one);
  });

  it('can be complete: every event is a literal in its log call', () => {
    // The one that passes a name on is found by the calls that create it.
    expect(unreadable).toEqual(['client/rateLimitedWarning.ts']);
  });
});

interface DescribedOption {
  readonly environment: string;
  readonly default: string;
  readonly commands: string;
}

/** The default as --help shows it; some stand in the description, since commander can't know them. */
function defaultOf(option: Option): string {
  if (option.negate) return '';
  if (option.defaultValueDescription !== undefined) return option.defaultValueDescription;
  if (option.defaultValue !== undefined) return String(option.defaultValue);
  return /\(default: (.+)\)$/.exec(option.description)?.[1] ?? '';
}

describe('the table of options', () => {
  it('is what the command line understands', () => {
    const understood = new Map<string, DescribedOption>();
    for (const command of createProgram().commands) {
      if (command.name() === 'simulate') continue;
      for (const option of command.options) {
        const earlier = understood.get(option.flags);
        const commands = earlier === undefined ? command.name() : `${earlier.commands}, ${command.name()}`;
        understood.set(option.flags, { environment: option.envVar ?? '', default: defaultOf(option), commands });
      }
    }
    const described = rowsUnder(page, 'option').map(
      ([flags = '', environment = '', preset = '', commands = '']) =>
        [flags, { environment, default: preset, commands }] as const,
    );
    expect(new Map(described)).toEqual(understood);
  });

  it('is completed by the variables that have no option', () => {
    const read = [...sources().values()].flatMap((source) => [...source.matchAll(/process\.env\.(\w+)/g)]);
    const variables = new Set([...read.map(([, name = '']) => name), ...ELSEWHERE_VARIABLES]);
    const described = rowsUnder(page, 'variable').map(([name]) => name);
    expect(described.sort()).toEqual([...variables].sort());
  });
});
