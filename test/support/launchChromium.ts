import { type Browser, chromium } from 'playwright-core';

/** Starts the Chromium that scripts/findChromium.mjs has found. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM;
  if (executablePath === undefined) throw new Error('CHROMIUM is not set: start this with its npm script');
  // Chromium's sandbox does not work for root in containers. Only our own pages are opened.
  const args = process.geteuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args });
}
