import { type Html, html } from '../report/html.ts';
import { page } from '../report/page.ts';
import { LIVE_SCRIPT } from '../report/pageScript.ts';
import {
  chartSection,
  contextSection,
  eventsSection,
  factsSection,
  headSection,
  stepsSection,
} from '../report/runSections.ts';
import type { RunView } from '../report/runView.ts';
import { createLiveModel } from './liveModel.ts';
import { serveLocally } from './localServer.ts';
import { createObserver, type RunInspector } from './observer.ts';

/** How often the page is brought up to date, at most. */
const UPDATE_MS = 200;

function liveBody(views: readonly RunView[]): Html {
  if (views.length === 0) return html`<header><h1>Waiting for the first actor</h1></header>`;
  return html`${views.map(
    (view, index) => html`<article>${headSection(view.chart, view)}
<section><h2>Now</h2>${factsSection(view.facts)}</section>
${chartSection(view)}
${stepsSection(view)}
<section><h2>Details</h2>
${contextSection(view.context, `context-${views.length - index}`)}
${eventsSection(view.events, `events-${views.length - index}`, 'Events, newest first', index === 0)}</section></article>`,
  )}`;
}

/**
 * Shows what a run does on a page of this machine, live. The page is made only while somebody looks at it, a few times
 * a second at most.
 * @param version of the program that runs
 * @throws Failure INTERNAL when there is no port
 */
export async function inspectOnPage(version: string): Promise<RunInspector & { readonly url: string }> {
  const model = createLiveModel();
  const body = (): Html => liveBody(model.views());
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
      first: () => JSON.stringify(body().markup),
    },
    false,
  );
  let pending: NodeJS.Timeout | undefined;
  const update = (): void => {
    pending = undefined;
    if (server.watched()) server.send(JSON.stringify(body().markup));
  };
  return {
    url: server.url,
    observe: createObserver((event) => {
      model.add(event);
      pending ??= setTimeout(update, UPDATE_MS).unref();
    }),
    async close() {
      // The observer passes events on in turns of their own: this one comes after those that are on their way.
      await new Promise((resolve) => setTimeout(resolve, 0));
      clearTimeout(pending);
      update();
      server.send('{}', 'end');
      await server.close();
    },
  };
}
