import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { launchChromium } from '../../support/launchChromium.ts';

/** Folder for screenshots; undefined: none. */
export const SHOTS = process.env.SCREENSHOTS;

export interface PageTests {
  readonly browser: () => Browser;
  /** Writes a page for the browser. @returns its address */
  readonly write: (name: string, text: string) => Promise<string>;
}

/** A browser and a folder for the pages of a test file, until its last test has ended. */
export function pageTests(): PageTests {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await launchChromium();
    folder = await mkdtemp(join(tmpdir(), 'thermal-browser-'));
    if (SHOTS !== undefined) await mkdir(SHOTS, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    browser: () => browser,
    write: async (name, text) => {
      const path = join(folder, `${name}.html`);
      await writeFile(path, text);
      return pathToFileURL(path).href;
    },
  };
}

export const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } } as const;
/** The narrowest screen on which nothing may be cut. */
export const NARROWEST = { width: 320, height: 640 } as const;
export const LOOKS = (['phone', 'desktop'] as const).flatMap((size) =>
  (['light', 'dark'] as const).map((scheme) => ({ size, scheme })),
);

export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings of the browser, and every request to another address. */
  readonly objections: string[];
}

/** Opens an address and records all objections. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const objections: string[] = [];
  const origin = url.startsWith('http') ? new URL(url).origin : url;
  page.on('pageerror', (error) => objections.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') objections.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) objections.push(`request: ${request.url()}`);
  });
  // Waiting for the default load event would never end, because a live page has an endless stream.
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  return { page, objections };
}

/** Expects that the page is not wider than the screen. */
export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const widths = await page.evaluate('[document.documentElement.scrollWidth, window.innerWidth]');
  const [content, screen] = Array.isArray(widths) ? widths.map(Number) : [];
  expect(content).toBeLessThanOrEqual(screen ?? 0);
}

/** Brightness of a CSS colour of the browser, 0 to 255. */
export function brightness(colour: string): number {
  const parts = [...colour.matchAll(/\d+/g)].slice(0, 3).map(([part]) => Number(part));
  return parts.reduce((sum, part) => sum + part, 0) / 3;
}
