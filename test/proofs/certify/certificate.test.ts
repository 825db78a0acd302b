import { describe, expect, it } from 'vitest';
import { type CertifiedSuite, certificate } from './certificate.ts';
import { MUTANTS } from './mutants.ts';
import { isInPart, partOf, scenariosIn } from './part.ts';
import { REMOVALS } from './selfTests/removals.ts';
import { suites } from './suites/index.ts';

const certified = (name: string, result: Partial<CertifiedSuite['result']> = {}): CertifiedSuite => ({
  suite: { name, shows: `what ${name} shows`, run: () => Promise.reject(new Error('not run here')) },
  result: { points: 2, runs: 3, faults: 1, violations: [], ...result },
});

describe('the certificate', () => {
  it('has one row for each suite, with its counts', () => {
    const page = certificate([certified('first'), certified('second', { violations: ['a', 'b'] })]);
    expect(page).toContain('| first | 2 | 3 | 1 | 0 |');
    expect(page).toContain('| second | 2 | 3 | 1 | 2 |');
    expect(page).toContain('\n- **first:** what first shows\n- **second:** what second shows\n');
  });

  it('has the table of a suite below its name', () => {
    const table = { columns: ['protection', 'suite'], rows: [['fsync', '`power-loss`']] };
    const page = certificate([certified('first'), certified('self-tests', { table })]);
    expect(page).toMatch(
      /\n## self-tests\n\n\| protection \| suite \|\n\| --- \| --- \|\n\| fsync \| `power-loss` \|\n$/,
    );
    expect(page).not.toContain('## first');
  });

  it('breaks the text of a suite into lines of 120 columns', () => {
    const long = certified('word '.repeat(60).trim());
    expect(
      Math.max(
        ...certificate([long])
          .split('\n')
          .map((line) => (line.startsWith('|') ? 0 : line.length)),
      ),
    ).toBe(119);
    expect(certificate([long])).toMatch(/word\n {2}word/);
  });

  it('is the same for the same counts', () => {
    expect(certificate([certified('first')])).toBe(certificate([certified('first')]));
  });
});

describe('a part of a suite', () => {
  const scenarios = [{ name: 'fresh' }, { name: 'configured' }];

  it('is the whole suite without a choice', () => {
    const whole = partOf(undefined, undefined);
    expect(scenariosIn(scenarios, whole)).toEqual(scenarios);
    expect(isInPart('kill at write 1', whole)).toBe(true);
  });

  it('has the matching scenarios and trials', () => {
    const part = partOf('^conf', 'write \\d+$');
    expect(scenariosIn(scenarios, part)).toEqual([{ name: 'configured' }]);
    expect(isInPart('kill at write 1', part)).toBe(true);
    expect(isInPart('kill at rename 1', part)).toBe(false);
  });
});

describe('the self-tests', () => {
  it('use every mutant once', () => {
    const used = REMOVALS.map(({ by }) => by).filter((by) => by !== 'lying-disk');
    expect(used.toSorted()).toEqual(MUTANTS.map(({ name }) => name).toSorted());
  });

  it('have a removed protection for every suite', () => {
    const catching = new Set(REMOVALS.map(({ suite }) => suite));
    const others = suites.map(({ name }) => name).filter((name) => name !== 'self-tests');
    expect([...catching].toSorted()).toEqual(others.toSorted());
  });
});
