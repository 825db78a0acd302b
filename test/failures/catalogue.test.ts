/** The catalogue of failures and the sources agree, both ways. */

import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';

const root = new URL('../../', import.meta.url);

interface Source {
  readonly path: string;
  readonly text: string;
}

async function sourcesIn(folder: string): Promise<readonly Source[]> {
  const names = await readdir(new URL(folder, root), { recursive: true });
  const paths = names.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`);
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(new URL(path, root), 'utf8') })));
}

const sources = [...(await sourcesIn('src')), ...(await sourcesIn('machines'))];
const outside = sources.filter(
  ({ path }) => !['src/failures/catalogue.ts', 'machines/provision.types.ts'].includes(path),
);
const wordsOf = new Map(
  outside.map(({ path, text }) => [path, new Set([...text.matchAll(/'(\w+)'/g)].map(([, w]) => w))]),
);
/** The files that contain all of these texts. */
const filesWith = (...words: readonly string[]): string[] =>
  [...wordsOf].filter(([, found]) => words.every((word) => found.has(word))).map(([path]) => path);

/** Every text with its code and situation. */
const texts = Object.entries(FAILURES).flatMap(([code, { hint: usualHint, texts }]) =>
  Object.entries<string | { readonly message: string; readonly hint: string }>(texts).map(([situation, text]) => {
    const { message, hint } = typeof text === 'string' ? { message: text, hint: usualHint } : text;
    return { code, situation, message, hint };
  }),
);
const factsOf = (template: string): string[] => [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');

describe('the catalogue', () => {
  it.each(Object.keys(FAILURES))('has no unused code: %s', (code) => {
    expect(filesWith(code)).not.toEqual([]);
  });

  it.each(texts)('has no unused text: $code in the situation $situation', ({ code, situation }) => {
    expect(filesWith(code, situation)).not.toEqual([]);
  });

  it.each(texts)('names the subject of $code in the situation $situation', ({ message }) => {
    // A fact, the name of a file or key, an option, or a unique subject.
    const named = /\{\w+\}|\b\w+\.\w+\b|--[a-z]|backups list|for TLS|[Tt]he run\b|the provisioning request/;
    const withoutSubject = ['There is no terminal to ask for confirmation', 'A JSON text has no value'];
    if (!withoutSubject.includes(message)) expect(message).toMatch(named);
  });

  it.each(texts)('has sentences for $code in the situation $situation', ({ message, hint }) => {
    expect(message).toMatch(/^[^\s].*[^.\s]$/);
    expect(hint).toMatch(/^[^\s].*[.)}a-z]$/);
    expect(`${message}${hint}`).not.toMatch(/[“”‘’]/);
  });

  it('has no fact that could be a secret', () => {
    const facts = new Set(texts.flatMap(({ message, hint }) => factsOf(message + hint)));
    for (const fact of facts) expect(fact).not.toMatch(/token|secret|password|key|payload|content/i);
    // Unfilled braces would appear in the message.
    for (const { message, hint } of texts) expect(`${message}${hint}`.replaceAll(/\{\w+\}/g, '')).not.toMatch(/[{}]/);
  });
});

describe('no other file contains messages or hints of failures', () => {
  const raised = outside.flatMap(({ path, text }) =>
    [...text.matchAll(/new Failure\(([\s\S]*?)\);?\n/g)].map(([, call = '']) => ({ path, call })),
  );

  it('finds the places that throw failures', () => {
    expect(raised.length).toBeGreaterThan(90);
  });

  it('every place passes code, situation and facts', () => {
    const texts = raised.flatMap(({ path, call }) =>
      [...call.matchAll(/'([^']*)'|"([^"]*)"|`([^`]*)`/g)]
        .map(([, plain, quoted, template]) => plain ?? quoted ?? template ?? '')
        .filter((literal) => /\w\s+\S/.test(literal))
        .map((literal) => `${path}: ${literal}`),
    );
    expect(texts).toEqual([]);
    expect(raised.filter(({ call }) => /\b(?:hint|message):/.test(call))).toEqual([]);
  });

  it.each(['provision', 'telemetry'])('nor does the chart of %s: it names codes and facts', async (name) => {
    const chart = await readFile(new URL(`machines/${name}.machine.ts`, root), 'utf8');
    const code = chart
      .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
      .replaceAll(/description:\s*'(?:[^'\\]|\\.)*'/g, '')
      .replace("new Error('effect not provided')", '');
    const literals = [...code.matchAll(/'([^'\n]*)'|`([^`]*)`/g)].map(([, plain, template]) => plain ?? template ?? '');
    expect(literals.length).toBeGreaterThan(25);
    expect(literals.filter((literal) => /\w\s+\S/.test(literal))).toEqual([]);
    expect(code).not.toMatch(/\b(?:hint|message|exitStatus|retryable): ['"`]\w/);
  });
});
