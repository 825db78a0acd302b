import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { reportPage } from '../../../src/report/reportPage.ts';
import { readDeviceFiles } from '../../../src/status/deviceFiles.ts';
import { cutIn, runDevice, scene, storeSnapshot } from '../../support/agentRun.ts';
import {
  brightness,
  expectNoSidewaysScrolling,
  LOOKS,
  NARROWEST,
  openPage,
  pageTests,
  SHOTS,
  SIZES,
} from './chromium.ts';
import { expectLegibleTexts } from './contrast.ts';

/** A4 without its margins, at 96 pixels an inch. */
const PAPER = { width: 718, height: 1047 };

const { browser, write } = pageTests();

const writePage = async (paths: DevicePaths, name: string): Promise<string> =>
  write(name, reportPage(await readDeviceFiles(paths, { boardId: 'board-1' }), '1.0.0').text);

const EVIL = `</style></script><script>document.title='taken'</script><img src="http://evil.example/" onerror="document.title='taken'">${'w'.repeat(300)}`;

const SCENES: Readonly<Record<string, () => Promise<DevicePaths>>> = {
  provisioned: async () => {
    const { paths } = await scene({ faults: [{ on: 'connect', nth: 1, action: 'close' }] });
    await cutIn(paths, 'verifyCredentials');
    await runDevice(paths);
    return paths;
  },
  backoff: async () => {
    const { paths } = await scene({ faults: [{ on: 'connect', nth: 1, action: 'close' }] });
    await cutIn(paths, 'backoff');
    return paths;
  },
  failed: async () => {
    const { paths } = await scene({}, { provisioning: { device_key: 'not-the-key' } });
    await runDevice(paths);
    return paths;
  },
  hostile: async () => {
    const { paths } = await scene();
    const context = await cutIn(paths, 'validate');
    const error = { code: 'INTERNAL', message: EVIL, hint: EVIL, retryable: false, exitStatus: 70, causes: [EVIL] };
    await storeSnapshot(paths, 'failed', { ...context, deviceName: EVIL, warnings: [EVIL], error });
    return paths;
  },
  damaged: async () => {
    const { paths } = await scene();
    await runDevice(paths);
    await writeFile(paths.snapshot, '{');
    return paths;
  },
};

describe.each(Object.entries(SCENES))('the report of a device: %s', (name, prepare) => {
  it('is readable on a phone and a desktop, in light and dark, without a script error or a request', async () => {
    const url = await writePage(await prepare(), name);
    const { page, objections } = await openPage(browser(), url);
    for (const { size, scheme } of LOOKS) {
      await page.setViewportSize(SIZES[size]);
      await page.emulateMedia({ colorScheme: scheme });
      await page.reload();
      expect(await page.locator('h1').isVisible()).toBe(true);
      await expectNoSidewaysScrolling(page);
      expect(await page.title()).not.toBe('taken');
      const paper = brightness(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
      const ink = brightness(await page.evaluate<string>('getComputedStyle(document.body).color'));
      expect(scheme === 'dark' ? ink - paper : paper - ink).toBeGreaterThan(150);
      if (SHOTS !== undefined) {
        await page.screenshot({ path: join(SHOTS, `report-${name}-${size}-${scheme}.png`), fullPage: true });
      }
      for (const details of await page.locator('summary').all()) await details.click();
      await expectNoSidewaysScrolling(page);
      await expectLegibleTexts(page);
      expect(objections).toEqual([]);
    }
    await page.setViewportSize(NARROWEST);
    await expectNoSidewaysScrolling(page);
    await page.context().close();
  });
});

const openScene = async (name: string, options: BrowserContextOptions) => {
  const prepare = SCENES[name] ?? (() => Promise.reject(new Error('no scene')));
  return (await openPage(browser(), await writePage(await prepare(), `${name}-again`), options)).page;
};

/** Part of an element that a phone shows without scrolling sideways, 0 to 1. */
async function shownPart(page: Page, selector: string): Promise<number> {
  const box = await page.locator(selector).boundingBox();
  const [left, right] = [box?.x ?? 0, (box?.x ?? 0) + (box?.width ?? 0)];
  return Math.max(0, Math.min(right, SIZES.phone.width) - Math.max(left, 0)) / (right - left);
}

it('shows the current state and the path to it on a phone', async () => {
  const provisioned = await openScene('provisioned', { viewport: SIZES.phone });
  expect(await shownPart(provisioned, '#provision-state-provisioned')).toBe(1);
  await provisioned.locator('li[data-state="provision-state-backup"]').first().hover();
  expect(await provisioned.locator('#provision-state-backup.pointed').count()).toBe(1);
  await provisioned.context().close();
  const failed = await openScene('failed', { viewport: SIZES.phone });
  expect(await shownPart(failed, '#provision-state-failed')).toBe(1);
  expect(await shownPart(failed, '#provision-state-request')).toBeGreaterThan(0.5);
  await failed.context().close();
});

it('shows chart and timeline side by side on a desktop, with texts of 11 pixels or more', async () => {
  const page = await openScene('failed', { viewport: SIZES.desktop });
  const chart = await page.locator('.chart').boundingBox();
  const steps = await page.locator('ol.steps').boundingBox();
  expect((steps?.x ?? 0) + (steps?.width ?? 0)).toBeLessThanOrEqual(chart?.x ?? 0);
  expect(steps?.y).toBeLessThan((chart?.y ?? 0) + (chart?.height ?? 0) / 2);
  // The picture has texts of 12 units.
  const scale = await page.evaluate<number>('document.querySelector(".scroll > svg").getScreenCTM().a');
  expect(scale * 12).toBeGreaterThanOrEqual(11);
  await page.context().close();
});

it('shows the important facts without its script, and on paper', async () => {
  const page = await openScene('failed', { javaScriptEnabled: false });
  for (const text of ['PROVISION_KEY_REFUSED', 'Hint:', 'Next:', 'Timeline', 'thermal-provision run --dir']) {
    expect(await page.getByText(text).first().isVisible(), text).toBe(true);
  }
  expect(await page.locator('[data-mark="failed"]').count()).toBe(1);
  const paper = await page.pdf({ format: 'A4' });
  expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.setViewportSize(PAPER);
  await expectLegibleTexts(page);
  await expectNoSidewaysScrolling(page);
  if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, 'report-failed-print.png'), fullPage: true });
  await page.context().close();
});
