import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Fleet } from '../../../src/fleet/fleet.ts';
import { fleetPage } from '../../../src/fleet/fleetPage.ts';
import { failedDocument, fleetOf, statusDocument } from '../../support/fleetDocuments.ts';
import { NOW } from '../../support/statusFiles.ts';
import { brightness, expectNoSidewaysScrolling, LOOKS, openPage, pageTests, SHOTS, SIZES } from './chromium.ts';

const { browser, write } = pageTests();
const DAY_MS = 86_400_000;
const EVIL = `</td><img src="http://evil.example/" onerror="document.title='taken'">${'w'.repeat(300)}`;

const writePage = (fleet: Fleet, name: string): Promise<string> =>
  write(name, fleetPage(fleet, { all: false, now: NOW, version: '1.0.0' }));

const nameOf = (index: number): string => `thermal-camera-${String(index).padStart(6, '0')}`;

/** Cameras of every status. Every 40th has failed, the cameras took 0 to 9.9 s, and some were not seen for days. */
function manyCameras(count: number): Fleet {
  const documents = Array.from({ length: count }, (_none, index) => {
    const seen = { checkedAt: new Date(NOW - (index % 17 === 0 ? 3 * DAY_MS : index * 1000)).toISOString() };
    const history = [
      { state: 'request', enteredAt: seen.checkedAt, durationMs: (index * 37) % 9900, attempt: 1, resumed: false },
    ];
    const device = nameOf(index);
    if (index % 40 === 7) return failedDocument(device, {}, { ...seen, history });
    if (index % 90 === 3) {
      const error = {
        code: 'DEVICE_MISMATCH',
        message: `It names ${device}`,
        hint: `Restore a backup that names ${device}.`,
      };
      return failedDocument(device, error, { ...seen, history, status: 'degraded' });
    }
    if (index % 50 === 4) return statusDocument(device, { ...seen, history, status: 'running' });
    if (index % 60 === 5)
      return statusDocument(null, { ...seen, status: 'not started', run: null, state: null, history: [] });
    return statusDocument(device, { ...seen, history });
  });
  const fleet = fleetOf([...documents, failedDocument(EVIL, { message: EVIL, hint: EVIL })]);
  return {
    ...fleet,
    older: 3,
    refused: [{ source: `collected/${EVIL}.json`, refusal: 'damaged', why: 'the document is cut off' }],
    refusals: { ...fleet.refusals, damaged: 1 },
  };
}

const visibleNames = (page: Page): Promise<string[]> =>
  page.locator('#cameras tbody tr td:first-child > bdi').allTextContents();

it('is readable on a phone and a desktop, in light and dark, without a script error or a request', async () => {
  const { page, objections } = await openPage(browser(), await writePage(manyCameras(200), 'looks'));
  for (const { size, scheme } of LOOKS) {
    await page.setViewportSize(SIZES[size]);
    await page.emulateMedia({ colorScheme: scheme });
    await page.reload();
    await page.evaluate('scrollTo(0, 0)');
    expect(await page.locator('h1').textContent()).toBe('Fleet: 201 cameras');
    await expectNoSidewaysScrolling(page);
    const paper = brightness(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    const ink = brightness(await page.evaluate<string>('getComputedStyle(document.body).color'));
    expect(scheme === 'dark' ? ink - paper : paper - ink).toBeGreaterThan(150);
    if (SHOTS !== undefined) {
      await page.screenshot({ path: join(SHOTS, `fleet-${size}-${scheme}.png`) });
      await page.evaluate("document.getElementById('all').scrollIntoView()");
      await page.screenshot({ path: join(SHOTS, `fleet-table-${size}-${scheme}.png`) });
    }
    for (const details of await page.locator('summary').all()) await details.click();
    await expectNoSidewaysScrolling(page);
  }
  expect(await page.title()).toBe('Fleet: 201 cameras');
  expect(objections).toEqual([]);
  await page.context().close();
});

it('sorts by each column in both directions, with rows without a value last', async () => {
  const { page } = await openPage(browser(), await writePage(manyCameras(120), 'sorted'), { viewport: SIZES.desktop });
  const column = async (number: number): Promise<string[]> =>
    page.locator(`#cameras tbody td:nth-child(${number})`).allTextContents();
  expect((await column(2)).slice(0, 2)).toEqual(['error', 'error']);
  const took = page.locator('#cameras th:nth-child(6)');
  await took.locator('button').click();
  expect(await took.getAttribute('aria-sort')).toBe('ascending');
  const seconds = (await column(6)).map((text) =>
    text === '' ? undefined : Number.parseFloat(text) * (text.endsWith('ms') ? 1 : 1000),
  );
  const known = seconds.filter((value) => value !== undefined);
  expect(known).toEqual(known.toSorted((one, other) => one - other));
  expect(seconds.slice(0, known.length)).toEqual(known);
  await took.locator('button').click();
  expect(await took.getAttribute('aria-sort')).toBe('descending');
  expect((await column(6)).at(0)).toMatch(/^\d\.\d s$/);
  expect((await column(6)).at(-1)).toBe('');
  await page.locator('#cameras th:nth-child(1) button').click();
  expect(await took.getAttribute('aria-sort')).toBeNull();
  const names = (await visibleNames(page)).filter((name) => name.startsWith('thermal-camera-'));
  expect(names).toEqual(names.toSorted());
  await page.context().close();
});

it('shows the cameras of a search, of a status and of a cause', async () => {
  const { page, objections } = await openPage(browser(), await writePage(manyCameras(120), 'searched'), {
    viewport: SIZES.desktop,
  });
  const shown = page.locator('#shown');
  expect(await shown.textContent()).toBe('121 cameras');
  await page.locator('#search').fill('REFUSED 000047');
  await expect.poll(() => shown.textContent()).toBe('1 of 121 cameras');
  expect(await visibleNames(page)).toEqual([nameOf(47)]);
  await page.locator('#search').fill('');
  await expect.poll(() => shown.textContent()).toBe('121 cameras');
  const degraded = page.locator('.tiles button[data-status="degraded"]');
  await degraded.click();
  expect(await visibleNames(page)).toEqual([nameOf(3), nameOf(93)]);
  expect(await degraded.getAttribute('aria-pressed')).toBe('true');
  await page.locator('.box button[data-search]').first().click();
  expect(await shown.textContent()).toBe('4 of 121 cameras');
  expect(await degraded.getAttribute('aria-pressed')).toBe('false');
  expect(objections).toEqual([]);
  await page.context().close();
});

it('is quick with 10,000 cameras', async () => {
  const { page } = await openPage(browser(), await writePage(manyCameras(10_000), 'large'), { viewport: SIZES.phone });
  const rows = page.locator('#cameras tbody tr');
  expect(await rows.count()).toBe(250);
  const startedAt = performance.now();
  await page.locator('#search').fill('009926');
  await expect.poll(() => page.locator('#shown').textContent(), { interval: 20 }).toBe('1 of 10001 cameras');
  expect(await page.locator('#more').isVisible()).toBe(false);
  await page.locator('#search').fill('');
  await expect.poll(() => rows.count(), { interval: 20 }).toBe(250);
  await page.locator('#cameras th:nth-child(1) button').click();
  await page.locator('#cameras th:nth-child(1) button').click();
  expect((await visibleNames(page)).at(-1)).toMatch(/^thermal-camera-00/);
  expect(performance.now() - startedAt).toBeLessThan(4000);
  await page.context().close();
});

it('shows many cameras step by step, and prints all that fit the search', async () => {
  const { page } = await openPage(browser(), await writePage(manyCameras(600), 'steps'), { viewport: SIZES.desktop });
  const rows = page.locator('#cameras tbody tr');
  expect(await rows.count()).toBe(250);
  await page.locator('#more').click();
  expect(await rows.count()).toBe(500);
  expect(await page.locator('#more').textContent()).toBe('Show 101 of 101 more');
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  expect(await rows.count()).toBe(601);
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  expect(await rows.count()).toBe(250);
  await page.context().close();
});

it('shows everything without its script, and on paper', async () => {
  const { page } = await openPage(browser(), await writePage(manyCameras(60), 'without-script'), {
    javaScriptEnabled: false,
  });
  for (const text of ['PROVISION_KEY_REFUSED', 'Hint:', 'Not counted', nameOf(59)]) {
    expect(await page.getByText(text).first().isVisible(), text).toBe(true);
  }
  expect(await page.locator('#search').isVisible()).toBe(false);
  expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, 'fleet-print.png') });
  await page.context().close();
});
