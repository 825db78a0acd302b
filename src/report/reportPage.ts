import type { DeviceFiles } from '../status/deviceFiles.ts';
import { LABEL } from '../status/labels.ts';
import { deviceView } from './deviceView.ts';
import { html } from './html.ts';
import { type Page, page } from './page.ts';
import { POINTING_SCRIPT } from './pageScript.ts';
import { eventView } from './recording.ts';
import { contextSection, eventsSection, runBody, timeElement } from './runSections.ts';

/** The latest run of a device as one self-contained page. @param version of this program */
export function reportPage(files: DeviceFiles, version: string): Page {
  const view = deviceView(files);
  const snapshot = files.snapshot.value;
  const device = view.facts.find(([name]) => name === LABEL.device)?.[1] ?? files.config.value?.deviceId;
  const records = files.events.value?.records ?? [];
  const earlier = records.filter(({ runId }) => runId !== view.runId).map(eventView);
  const title = device ?? 'Thermal camera';
  const details = html`${eventsSection(view.events, 'events', 'Log of this run')}
${earlier.length === 0 ? undefined : eventsSection(earlier, 'earlier', 'Log of earlier runs')}
${contextSection(view.context, 'context')}`;
  return page({
    title: `${title}: ${view.state ?? view.outcome}`,
    body: runBody(title, view, details),
    footer: html`Report of ${timeElement(new Date(files.readAt).toISOString())}, made by thermal-provision ${version}${
      snapshot == null
        ? undefined
        : html`; agent of the run ${snapshot.agentVersion}, snapshot format ${snapshot.version}, state number ${snapshot.seq}`
    }; Node ${process.version}. This page contains no secret.`,
    script: POINTING_SCRIPT,
  });
}
