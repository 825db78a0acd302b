import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { reportPage } from '../../../src/report/reportPage.ts';
import { readDeviceFiles } from '../../../src/status/deviceFiles.ts';
import { cutIn, runDevice, scene, storeSnapshot } from '../../support/agentRun.ts';
import { brightness, expectNoSidewaysScrolling, LOOKS, openPage, pageTests, SHOTS, SIZES } from './chromium.ts';

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
      expect(objections).toEqual([]);
    }
    await page.context().close();
  });
});

it('scrolls to the current state on a phone', async () => {
  const url = await writePage(await (SCENES.provisioned?.() ?? Promise.reject(new Error('no scene'))), 'in-view');
  const { page } = await openPage(browser(), url, { viewport: SIZES.phone });
  const state = await page.locator('#provision-state-provisioned').boundingBox();
  expect(state?.x).toBeGreaterThanOrEqual(0);
  expect((state?.x ?? 0) + (state?.width ?? 0)).toBeLessThanOrEqual(SIZES.phone.width);
  await page.locator('li[data-state="provision-state-backup"]').first().hover();
  expect(await page.locator('#provision-state-backup.pointed').count()).toBe(1);
  await page.context().close();
});

it('shows the important facts without its script, and on paper', async () => {
  const url = await writePage(await (SCENES.failed?.() ?? Promise.reject(new Error('no scene'))), 'without-script');
  const { page } = await openPage(browser(), url, { javaScriptEnabled: false });
  for (const text of ['PROVISION_KEY_REFUSED', 'Hint:', 'Next:', 'Timeline', 'thermal-provision run --dir']) {
    expect(await page.getByText(text).first().isVisible(), text).toBe(true);
  }
  expect(await page.locator('[data-mark="failed"]').count()).toBe(1);
  const paper = await page.pdf({ format: 'A4' });
  expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, 'report-failed-print.png'), fullPage: true });
  await page.context().close();
});
