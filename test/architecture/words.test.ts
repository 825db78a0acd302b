/** Comments and texts of the program are plain technical English: no literary phrases, no curly quotes. */

import { describe, expect, it } from 'vitest';
import { type Source, sourcesIn } from './sources.ts';

/** Words in any case and form that is written here; between them may be the end of a line of a comment. */
const PHRASES = [
  ...[
    'whyever',
    'whoever',
    'whomever',
    'whom',
    'whatever',
    'shall',
    'aloud',
    'oddities',
    'sweep',
    'sweeps',
    'sweeping',
  ],
  ...['go on', 'goes on', 'going on', 'went on', 'gone on', 'comes to', 'come to', 'came to', 'made up'],
  ...[
    'in any way',
    'without a word',
    'the one who',
    'all the same',
    'no more',
    'makes no sense',
    'was cut',
    'were cut',
  ],
  ...['may have left', 'had left', 'is drawn', 'was drawn', 'were drawn', 'had drawn', 'is none of', 'belongs to him'],
];

const pattern = (phrase: string): RegExp => new RegExp(`\\b${phrase.replaceAll(' ', '[\\s*/]+')}\\b`, 'gi');
/** "is no folder", but not "there is no folder" and "is no longer". */
const NOT_A = /(?<!\bthere[\s*/]+)\b(?:is|are|was|were)[\s*/]+no[\s*/]+(?!longer\b)[a-z]\w*/gi;
const FORBIDDEN = [...PHRASES.map(pattern), NOT_A, /[‘’“”]/g];

/** The forbidden phrases of a source: file, line, phrase. */
function phrasesIn({ path, text }: Pick<Source, 'path' | 'text'>): string[] {
  return FORBIDDEN.flatMap((forbidden) => [...text.matchAll(forbidden)]).map(({ 0: phrase, index }) => {
    const line = text.slice(0, index).split('\n').length;
    return `${path}:${line}: ${phrase.replaceAll(/[\s*/]+/g, ' ')}`;
  });
}

describe('the comments and texts', () => {
  it('of the sources have no forbidden phrase and no curly quote', () => {
    const sources = sourcesIn('machines', 'src');
    expect(sources.length).toBeGreaterThan(60);
    expect(sources.flatMap(phrasesIn)).toEqual([]);
  });

  it.each([
    ['/** A run\n * goes\n * on. */', ['x.ts:2: goes on']],
    ['// Whoever reads it', ['x.ts:1: Whoever']],
    ["'\u201ca\u201d'", ['x.ts:1: \u201c', 'x.ts:1: \u201d']],
    ["const a = 'It is no folder';", ['x.ts:1: is no folder']],
    ['// There\n// is no folder; the file is no longer used. Goes online, shallow, journald.', []],
  ])('are searched in %j', (text, found) => {
    expect(phrasesIn({ path: 'x.ts', text })).toEqual(found);
  });
});
