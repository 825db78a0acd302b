/** Draws the pictures of README.md, or with --check finds stale ones. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { reportPage } from '../../src/report/reportPage.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { statusText } from '../../src/status/statusText.ts';
import { useLastingTemporaryFolder } from '../../test/support/lastingFolder.ts';
import { launchChromium } from '../../test/support/launchChromium.ts';
import { pngText, withPngText } from './pngText.ts';
import { play, type Scene, SHOWN_FOLDER, SHOWN_VERSION } from './scenes.ts';
import { terminalPicture } from './terminal.ts';

const FOLDER = 'docs/pictures';
const STATUS = `${FOLDER}/status.svg`;
const REPORT = `${FOLDER}/report.png`;
/** Keyword of the digest in a PNG file. */
const KEYWORD = 'Source';

/** The key of another server. */
const REFUSED: Scene = { provisioning: { device_key: 'another-key' } };
/** The answer is lost, then the power fails. */
const INTERRUPTED: Scene = {
  faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
  interruptIn: 'reconcile',
};

/** The part of the report in the picture, and its scale: README.md shows pictures about as wide. */
const VIEW = { viewport: { width: 1240, height: 1286 }, deviceScaleFactor: 0.68 };

/** Digest of everything that the picture shows: the style, and the page as far as the closed details. */
function digestOf(page: string): string {
  const shown = page.slice(page.indexOf('<style>'), page.indexOf('<h2>Details</h2>'));
  return createHash('sha256').update(JSON.stringify(VIEW)).update(shown).digest('hex');
}

async function screenshot(page: string): Promise<Buffer> {
  const browser = await launchChromium();
  try {
    const opened = await browser.newPage({ ...VIEW, colorScheme: 'light' });
    await opened.setContent(page);
    return await opened.screenshot();
  } finally {
    await browser.close();
  }
}

await useLastingTemporaryFolder();
const status = await play(REFUSED, (files) => statusText(makeStatus(files)));
const svg = terminalPicture(
  'Output of thermal-provision status after a failure',
  `thermal-provision status --dir ${SHOWN_FOLDER}`,
  status,
);
const report = await play(INTERRUPTED, (files) => reportPage(files, SHOWN_VERSION).text);
const digest = digestOf(report);

if (process.argv.includes('--check')) {
  const png = await readFile(REPORT).catch(() => Buffer.alloc(0));
  const stale = [
    ...((await readFile(STATUS, 'utf8').catch(() => '')) === svg ? [] : [STATUS]),
    ...(pngText(png, KEYWORD) === digest ? [] : [REPORT]),
  ];
  for (const name of stale) console.error(`${name} is stale: run npm run pictures`);
  console.log(`${2 - stale.length} of 2 pictures are up to date`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  await mkdir(FOLDER, { recursive: true });
  const png = withPngText(await screenshot(report), KEYWORD, digest);
  await writeFile(STATUS, svg);
  await writeFile(REPORT, png);
  console.log(`drew ${STATUS} (${svg.length} bytes) and ${REPORT} (${png.length} bytes)`);
}
