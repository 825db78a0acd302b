import { expect, it } from 'vitest';
import { terminalPicture } from '../../scripts/pictures/terminal.ts';

const picture = terminalPicture('Output of status', 'tool status', `status: error\nhint:      ${'x'.repeat(60)} <&>\n`);

/** The lines of the picture, as a reader sees them. */
const linesOf = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, line = '']) => line.replaceAll(/<[^>]*>/g, ''));

it('shows the command and every line of its output, escaped', () => {
  expect(linesOf(picture)).toEqual(['$ tool status', 'status: error', `hint:      ${'x'.repeat(60)} &lt;&amp;&gt;`]);
  expect(picture).toContain('<title>Output of status</title>');
});

it('is wide enough for every line, in any font', () => {
  const width = Number(/ width="(\d+)"/.exec(picture)?.[1]);
  const ends = [...picture.matchAll(/<text x="(\d+)" [^>]*textLength="([\d.]+)"/g)].map(
    ([, x, length]) => Number(x) + Number(length),
  );
  expect(ends).toHaveLength(3);
  expect(Math.max(...ends)).toBeLessThanOrEqual(width);
  expect(Math.max(...ends)).toBeGreaterThan(width * 0.9);
});
