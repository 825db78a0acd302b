/** The files of the project: their length, and one file in src/effects for each state that has an effect. */

import { describe, expect, it } from 'vitest';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { sourcesIn } from './sources.ts';

const MAX_LINES = 300;
/** Files that are one literal: the chart, which Stately's editor opens as one file, and the catalogue of failures. */
const LONG = /^(machines\/provision\.machine|src\/failures\/catalogue)\.ts$/;

describe('the sources', () => {
  it(`have ${MAX_LINES} lines at most`, () => {
    const sources = sourcesIn('machines', 'src', 'scripts', 'bench', 'test');
    const lengths = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(lengths.filter(({ path, lines }) => lines > MAX_LINES && !LONG.test(path))).toEqual([]);
  });

  it('in src/effects are one for each state with an effect, index and dependencies', () => {
    const states = Object.values(provisionMachine.states).filter(({ invoke }) => invoke.length > 0);
    const expected = [...states.map(({ key }) => key), 'dependencies', 'index'].map((name) => `src/effects/${name}.ts`);
    expect(
      sourcesIn('src/effects')
        .map(({ path }) => path)
        .sort(),
    ).toEqual(expected.sort());
  });
});

describe('a concurrent test', () => {
  /** Tests that use `expect.poll`, but not the `expect` of their own context. */
  const foreignPolls = (text: string): string[] =>
    text
      .split(/^(?= *(?:it|test)\b)/m)
      .filter((block) => block.includes('expect.poll') && !/\{[^}]*\bexpect\b[^}]*\} *(?:\)|,|=)/.test(block))
      .map((block) => block.split('\n')[0] ?? '');

  it('polls with the expect of its own context: the global one may belong to another test', () => {
    const wrong = sourcesIn('test')
      .filter(({ text }) => /\b(?:describe|it|test)\.concurrent\b/.test(text))
      .flatMap(({ path, text }) => foreignPolls(text).map((test) => `${path}: ${test}`));
    expect(wrong).toEqual([]);
  });
});
