import type { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createProgram } from '../../src/cli/program.ts';
import { EXTERNAL_VARIABLES } from '../../src/config/provision/externalSettings.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } from '../../src/simulator/simulator.ts';
import { STATUS_EXIT, statusSchema } from '../../src/status/deviceStatus.ts';
import { LABEL } from '../../src/status/labels.ts';
import { readPage, rowsUnder } from './markdown.ts';
import { sources } from './sources.ts';

const page = readPage('docs/commands.md');
const commands = createProgram().commands;
const simulate = commands.find((command) => command.name() === 'simulate');

/** The printed `--help` of the program. */
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

/** The default in --help. Some defaults are in the description, because commander does not know them. */
function defaultOf(option: Option): string {
  if (option.negate) return '';
  if (option.defaultValueDescription !== undefined) return option.defaultValueDescription;
  if (option.defaultValue !== undefined) return String(option.defaultValue);
  return /\(default:? (.+)\)$/.exec(option.description)?.[1] ?? '';
}

it('docs/commands.md has every command, and no other', () => {
  const described = rowsUnder(page, 'command', 'purpose').map(([command]) => command);
  expect(described.toSorted()).toEqual(commands.map((command) => command.name()).toSorted());
});

describe('the table of options', () => {
  const [, list = ''] = /"\(device\)" stands for (.*?)\./s.exec(page) ?? [];
  const device = [...list.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);

  /** The commands of a row. "(device)" means all commands with a device folder. */
  const named = (cell: string): readonly string[] =>
    cell
      .split(', ')
      .flatMap((name) => (name === '(device)' ? device : name))
      .toSorted();

  const withOption = (flags: string, all: readonly Command[]): readonly string[] =>
    all.filter(({ options }) => options.some((option) => option.flags === flags)).map((command) => command.name());

  it('has the options of the command line', () => {
    const others = commands.filter((command) => command !== simulate);
    const understood = new Map(
      others
        .flatMap(({ options }) => options)
        .map((option) => [
          option.flags,
          {
            environment: option.envVar ?? '',
            default: defaultOf(option),
            commands: withOption(option.flags, others).toSorted(),
          },
        ]),
    );
    const described = rowsUnder(page, 'option').map(
      ([flags = '', environment = '', preset = '', cell = '']) =>
        [flags, { environment, default: preset, commands: named(cell) }] as const,
    );
    expect(new Map(described)).toEqual(understood);
    expect(described).toHaveLength(understood.size);
  });

  it('is completed by the table of simulate', () => {
    const described = rowsUnder(page, 'option of simulate');
    expect(described.map(([flags]) => flags)).toEqual(simulate?.options.map(({ flags }) => flags));
    const presets = new Map(described.map(([flags = '', preset = '']) => [flags, preset]));
    for (const option of simulate?.options ?? []) {
      const preset = defaultOf(option);
      if (preset !== '') expect([option.flags, presets.get(option.flags)]).toEqual([option.flags, preset]);
    }
    expect(presets.get('--device-key <key>')).toBe(DEFAULT_DEVICE_KEY);
    expect(presets.get('--device-secret <secret>')).toBe(DEFAULT_DEVICE_SECRET);
  });

  it('is completed by the table of variables without an option', () => {
    const read = [...sources().values()].flatMap((source) => [...source.matchAll(/process\.env\.(\w+)/g)]);
    const variables = new Set([...read.map(([, name = '']) => name), ...EXTERNAL_VARIABLES]);
    const described = rowsUnder(page, 'variable').flatMap(([names = '']) => names.split(', '));
    expect(described.toSorted()).toEqual([...variables].toSorted());
  });
});

describe('the table of exit statuses', () => {
  const rows = rowsUnder(page, 'status', 'name');

  it('has every status of the code, with its name', () => {
    expect(rows.map(([status, name]) => [name, Number(status)])).toEqual(Object.entries(EXIT));
  });

  it('agrees with --help', () => {
    const lines = [...helpText().matchAll(/^ +(\d+) {2}(?:([A-Z]+) +)?(\S.*)$/gm)];
    expect(lines.map(([, status, name = 'OK', meaning]) => [status, name, meaning])).toEqual(
      rows.map((row) => row.slice(0, 3)),
    );
  });
});

describe('the section about status', () => {
  it('explains every line', () => {
    const described = rowsUnder(page, 'line').map(([label]) => label);
    expect(described.toSorted()).toEqual(Object.values(LABEL).toSorted());
  });

  it('explains every word, with its exit status', () => {
    const described = rowsUnder(page, 'word').map(([word, status]) => [word, Number(status)]);
    expect(described).toEqual(Object.entries(STATUS_EXIT));
  });

  it('explains every condition that is not a failure code', () => {
    const list = /const CONDITION_CODES = \[([^;]*)\]/.exec(sources().get('status/part.ts') ?? '')?.[1] ?? '';
    const codes = [...list.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
    expect(codes).toContain('INTERRUPTED');
    const described = rowsUnder(page, 'condition').map(([code]) => code);
    expect(described.toSorted()).toEqual(codes.toSorted());
  });

  it('names existing fields of the JSON', () => {
    const fields = rowsUnder(page, 'field of the JSON').map(([name = '']) => name);
    expect(fields).toContain('errors');
    const known = Object.keys(z.toJSONSchema(statusSchema).properties ?? {});
    for (const field of fields) expect(known).toContain(field.split('.')[0]);
  });
});
