import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { recordedRuns } from '../../../src/history/recordedRuns.ts';
import type { LogRecord } from '../../../src/log/log.ts';
import { recordingPage } from '../../../src/report/recordingPage.ts';
import { inspectOnPage } from '../../../src/watch/livePage.ts';
import { serveLocally } from '../../../src/watch/localServer.ts';
import { runDevice, scene } from '../../support/agentRun.ts';
import { launchChromium } from '../../support/launchChromium.ts';
import { expectNoSidewaysScrolling, LOOKS, openPage, SIZES } from './chromium.ts';
import { expectLegibleTexts } from './contrast.ts';

let browser: Browser;
const shots = process.env.SCREENSHOTS;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

it('shows a run live, and keeps its content when the agent has ended', async () => {
  const inspector = await inspectOnPage('1.0.0');
  const { page, objections } = await openPage(browser, inspector.url, { viewport: SIZES.phone });
  await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
  const { paths } = await scene({ faults: [{ on: 'request', nth: 1, action: 'delay', ms: 700 }] });
  const running = runDevice(paths, { inspect: inspector.observe });
  await expect.poll(() => page.locator('#provision-state-request[data-mark="current"]').count()).toBe(1);
  await page.locator('#context-1 > summary').click();
  await expectNoSidewaysScrolling(page);
  await expectLegibleTexts(page);
  if (shots !== undefined) await page.screenshot({ path: join(shots, 'live-phone.png'), fullPage: true });
  await running;
  await expect.poll(() => page.locator('#provision-state-provisioned[data-mark="done"]').count()).toBe(1);
  // Opened details stay open.
  expect(await page.locator('#context-1[open]').count()).toBe(1);
  await inspector.close();
  await expect.poll(() => page.locator('#connection').textContent()).toContain('the agent has ended');
  expect(await page.locator('#provision-state-provisioned').isVisible()).toBe(true);
  expect(objections).toEqual([]);
  await page.context().close();
});

it('steps through a recorded run with the arrow keys', async () => {
  const { paths } = await scene();
  const records: LogRecord[] = [];
  await runDevice(paths, { sink: (record) => void records.push(record) });
  const runs = recordedRuns(records);
  const server = await serveLocally({ page: (query) => recordingPage('events.jsonl', runs, query, '1.0.0') }, false);
  onTestFinished(() => server.close());
  const { page, objections } = await openPage(browser, server.url, { viewport: SIZES.desktop });
  const count = runs[0]?.records.length ?? 0;
  expect(await page.locator('nav').textContent()).toContain(`line 1 of ${count}`);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.locator('nav').textContent()).toContain(`line 2 of ${count}`);
  await page.keyboard.press('End');
  await expect.poll(() => page.locator('#provision-state-provisioned[data-mark="done"]').count()).toBe(1);
  for (const { size, scheme } of LOOKS) {
    await page.setViewportSize(SIZES[size]);
    await page.emulateMedia({ colorScheme: scheme });
    await expectLegibleTexts(page);
    await expectNoSidewaysScrolling(page);
    if (shots === undefined) continue;
    await page.screenshot({ path: join(shots, `recording-${size}-${scheme}.png`), fullPage: true });
  }
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => page.locator('nav').textContent()).toContain(`line ${count - 1} of ${count}`);
  // Before its first state a run shows the start of the chart, also on a phone.
  await page.setViewportSize(SIZES.phone);
  await page.goto(`${server.url}?step=1`);
  // All links are in one row.
  const tops = await page.evaluate(
    '[...document.querySelectorAll("nav a, nav .off")].map(({ offsetTop }) => offsetTop)',
  );
  expect(new Set(Array.isArray(tops) ? tops : []).size).toBe(1);
  const first = await page.locator('#provision-state-detect').boundingBox();
  expect(first?.x).toBeGreaterThanOrEqual(0);
  expect((first?.x ?? 0) + (first?.width ?? 0)).toBeLessThanOrEqual(SIZES.phone.width);
  if (shots !== undefined) await page.screenshot({ path: join(shots, 'recording-phone-first.png') });
  expect(objections).toEqual([]);
  await page.context().close();
});
