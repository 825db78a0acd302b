import { type Html, html } from '../report/html.ts';
import { page } from '../report/page.ts';
import { LIVE_SCRIPT } from '../report/pageScript.ts';
import { contextSection, eventsSection, runBody } from '../report/runSections.ts';
import type { RunView } from '../report/runView.ts';
import { createLiveModel } from './liveModel.ts';
import { serveLocally } from './localServer.ts';
import { createObserver, type RunInspector } from './observer.ts';

/** Shortest time between two updates of the page. */
const UPDATE_MS = 200;

/** A page on this machine that follows changing content. */
export interface LivePage {
  readonly url: string;
  /** Whether a browser shows the page now. */
  readonly watched: () => boolean;
  /** Sends the new content to the browsers soon. */
  update(): void;
  /** Sends the last content, tells the browsers that it is the last, and closes the server. */
  close(): Promise<void>;
}

/**
 * Opens a page on 127.0.0.1. The content is made only while a browser shows it, a few times a second at most.
 * @param version of this program
 * @param body makes the present content
 * @param keepAlive whether the page keeps the process alive
 * @throws Failure INTERNAL if the server can't listen
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
            footer: html`<span id="connection">as of the time when this page was loaded</span> · thermal-provision ${version} · Node ${process.version}`,
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
 * Shows the charts of this process live on a page.
 * @param version of this program
 * @throws Failure INTERNAL if the server can't listen
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
      // The observer delivers each event in a later turn of the event loop. Wait for the last events.
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
