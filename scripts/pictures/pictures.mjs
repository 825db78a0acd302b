// Draws docs/pictures/ from the output of the program. With --check it only compares, and needs no Chromium.
import { findChromium } from '../findChromium.mjs';
import { runTypeScript } from '../runTypeScript.mjs';

const given = process.argv.slice(2);
const { path, problem } = given.includes('--check') ? {} : findChromium();
if (problem !== undefined) {
  console.error(`The pictures need Chromium. There is none, and ${problem}.`);
  process.exitCode = 1;
} else {
  if (path !== undefined) process.env.CHROMIUM = path;
  process.exitCode = await runTypeScript('scripts/pictures/drawPictures.ts', given);
}
