import { setTimeout as delay } from 'node:timers/promises';
import { devicePaths } from '../../device/paths.ts';
import { deviceView } from '../../report/deviceView.ts';
import { html } from '../../report/html.ts';
import { contextSection, eventsSection, runBody } from '../../report/runSections.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { VERSION } from '../../version.ts';
import { openLivePage } from '../../watch/livePage.ts';

const LOOK_MS = 200;
/** How long the user may take to open the page. */
const OPENING_LIMIT_MS = 30_000;
/** How long each scene of the page stays. */
const LOOKING_MS = 2500;

/** The page of the demonstration, and its pauses for the reader. */
export interface DemoPage {
  /** Waits until a browser shows the page, at most 30 s. */
  opened(): Promise<void>;
  /** Waits for the reader. */
  pause(): Promise<void>;
  /** Waits until the signal is aborted. */
  ended(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Shows a device folder live on a page on this machine. The demonstration starts several agents and kills one of them, so
 * the page is made from the files, as in `report`.
 * @param signal ends every wait without an error
 */
export async function openDemoPage(folder: string, signal: AbortSignal): Promise<DemoPage & { readonly url: string }> {
  const paths = devicePaths(folder);
  const boardId = process.env.THERMAL_BOARD_ID ?? '';
  const look = async () => deviceView(await readDeviceFiles(paths, { boardId }));
  let view = await look();
  const body = () => {
    const details = html`${eventsSection(view.events, 'events', 'Log of this run', true)}
${contextSection(view.context, 'context')}`;
    return runBody('Demonstration', view, details);
  };
  const page = await openLivePage(VERSION, body, true);
  let closed = false;
  const following = (async () => {
    while (!closed) {
      view = await look();
      page.update();
      await delay(LOOK_MS);
    }
  })();
  // The only error of this delay is the aborted signal.
  const wait = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => {});
  return {
    url: page.url,
    async opened() {
      const end = performance.now() + OPENING_LIMIT_MS;
      while (!page.watched() && !signal.aborted && performance.now() < end) await wait(LOOK_MS);
    },
    pause: () => wait(LOOKING_MS),
    ended: () =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    async close() {
      closed = true;
      await following;
      await page.close();
    },
  };
}
