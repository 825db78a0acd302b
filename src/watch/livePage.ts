import { type Html, html } from '../report/html.ts';
import { page } from '../report/page.ts';
import { LIVE_SCRIPT } from '../report/pageScript.ts';
import { contextSection, eventsSection, runBody } from '../report/runSections.ts';
import type { RunView } from '../report/runView.ts';
import { createLiveModel } from './liveModel.ts';
import { serveLocally } from './localServer.ts';
import { createObserver, type RunInspector } from './observer.ts';

/** How often the page is brought up to date, at most. */
const UPDATE_MS = 200;

/** A page of this machine that shows something while it changes. */
export interface LivePage {
  readonly url: string;
  /** Whether a browser follows the page now. */
  readonly watched: () => boolean;
  /** Says that there is something new to show. */
  update(): void;
  /** Shows the latest and tells the readers that no more comes. */
  close(): Promise<void>;
}

/**
 * Opens a page on 127.0.0.1. It is made only while somebody looks at it, a few times a second at most.
 * @param version of the program that runs
 * @param body what the page shows now
 * @param keepAlive whether the page keeps the process alive
 * @throws Failure INTERNAL when there is no port
 */
export async function openLivePage(version: string, body: () => Html, keepAlive: boolean): Promise<LivePage> {
  const content = (): string => JSON.stringify(body().markup);
  const server = await serveLocally(
    {
      page: () =>
        page(
          {
            title: 'thermal-provision, live',
            body: body(),
            footer: html`<span id="connection">as of when this page was loaded</span> · thermal-provision ${version} · Node ${process.version}`,
            script: LIVE_SCRIPT,
          },
          true,
        ),
      first: content,
    },
    keepAlive,
  );
  let pending: NodeJS.Timeout | undefined;
  const send = (): void => {
    pending = undefined;
    if (server.watched()) server.send(content());
  };
  return {
    url: server.url,
    watched: server.watched,
    update() {
      pending ??= setTimeout(send, UPDATE_MS).unref();
    },
    async close() {
      clearTimeout(pending);
      send();
      server.send('{}', 'end');
      await server.close();
    },
  };
}

/**
 * Shows what the charts of this process do, live.
 * @param version of the program that runs
 * @throws Failure INTERNAL when there is no port
 */
export async function inspectOnPage(version: string): Promise<RunInspector & { readonly url: string }> {
  const model = createLiveModel();
  const opened = await openLivePage(version, () => liveBody(model.views()), false);
  return {
    url: opened.url,
    observe: createObserver((event) => {
      model.add(event);
      opened.update();
    }),
    async close() {
      // The observer passes events on in turns of their own: this one comes after those that are on their way.
      await new Promise((resolve) => setTimeout(resolve, 0));
      await opened.close();
    },
  };
}

function liveBody(views: readonly RunView[]): Html {
  if (views.length === 0) return html`<header><h1>Waiting for the first actor</h1></header>`;
  return html`${views.map((view, index) => {
    const number = views.length - index;
    const details = html`${contextSection(view.context, `context-${number}`)}
${eventsSection(view.events, `events-${number}`, 'Events, newest first', index === 0)}`;
    return html`<article>${runBody(view.chart, view, details)}</article>`;
  })}`;
}
