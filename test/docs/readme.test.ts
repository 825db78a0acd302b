import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../../src/cli/program.ts';
import { parseProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { anchorsOf, codeBlocks, ROOT, readPage, relativeLinks, rowsUnder } from './markdown.ts';

const PAGES = ['README.md', 'test/README.md', ...readdirSync(`${ROOT}docs`).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()), bin: z.record(z.string(), z.string()) });

describe('README.md', () => {
  const readme = readPage('README.md');

  it('has every command, and no other', () => {
    const described = rowsUnder(readme, 'command').map(([command]) => command);
    expect(described.toSorted()).toEqual(
      createProgram()
        .commands.map((command) => command.name())
        .sort(),
    );
  });

  it('names scripts that exist', () => {
    const { scripts } = packageSchema.parse(JSON.parse(readPage('package.json')));
    const described = rowsUnder(readme, 'script').map(([script = '']) => script.replace(/^npm (run )?/, ''));
    expect(described.length).toBeGreaterThan(0);
    expect(described.filter((script) => scripts[script] === undefined)).toEqual([]);
  });
});

describe.each(PAGES)('%s', (name) => {
  const page = readPage(name);

  it('has relative links that lead somewhere', () => {
    const broken = relativeLinks(page).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('has JSON examples that parse', () => {
    for (const example of codeBlocks(page, 'json')) expect(() => JSON.parse(example)).not.toThrow();
  });
});

describe('the examples of provision.json', () => {
  const examples = PAGES.flatMap((name) => codeBlocks(readPage(name), 'json'))
    .filter((example) => example.includes('device_key'))
    .map((example, index) => ({ number: index + 1, example }));

  it('stand in README.md and in docs/operations.md', () => {
    for (const name of ['README.md', 'docs/operations.md']) {
      expect(codeBlocks(readPage(name), 'json').join('')).toContain('device_key');
    }
  });

  it.each(examples)('are accepted without a warning once “…” is filled in: number $number', ({ example }) => {
    const { warnings } = parseProvisionJson(Buffer.from(example.replaceAll('…', 'filled-in')));
    expect(warnings).toEqual([]);
  });
});
