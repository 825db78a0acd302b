import { describe, expect, it } from 'vitest';
import { isDrawable, paintDiff, paintFor, printable } from '../../../src/cli/terminal/paint.ts';

const TERMINAL = { isTTY: true };

describe('paintFor', () => {
  it('gives colours for a terminal only', () => {
    expect(paintFor(TERMINAL, {})('red', 'x')).toBe('\x1b[31mx\x1b[0m');
    expect(paintFor({}, {})('red', 'x')).toBe('x');
  });

  it('gives no colours with a non-empty NO_COLOR or on a dumb terminal', () => {
    expect(paintFor(TERMINAL, { NO_COLOR: '1' })('red', 'x')).toBe('x');
    expect(paintFor(TERMINAL, { NO_COLOR: '' })('red', 'x')).not.toBe('x');
    expect(paintFor(TERMINAL, { TERM: 'dumb' })('red', 'x')).toBe('x');
    expect(isDrawable(TERMINAL, { NO_COLOR: '1' })).toBe(true);
  });
});

describe('printable', () => {
  it('removes everything that controls a terminal', () => {
    const shown = printable('a\x1b[2Jb\x9b31mc\x07\u0085\td\ne');
    for (const control of ['\x1b', '\x07', '\u0085', '\x9b']) expect(shown).not.toContain(control);
    expect(printable('cam\u202Egpj')).toBe('cam?gpj');
    expect(printable('ü «x»\t1\n2')).toBe('ü «x»\t1\n2');
  });
});

describe('paintDiff', () => {
  it('colours headers, positions, additions and removals', () => {
    const lines = paintDiff('--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z', (colour, text) => `${colour}:${text}`).split('\n');
    expect(lines).toEqual(['bold:--- a', 'bold:+++ b', 'cyan:@@ -1 +1 @@', 'red:-x', 'green:+y', ' z']);
  });
});
