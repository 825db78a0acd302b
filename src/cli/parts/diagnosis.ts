/**
 * The code of `init`, `doctor`, `report`, `fleet`, `inspect`, `--inspect` and remote requests: one part of the bundle (see
 * files.ts).
 */
export { inspectOnPage } from '../../watch/livePage.ts';
export { inspectWithStately } from '../../watch/stately.ts';
export { runDoctor } from '../doctor/runDoctor.ts';
export { showFleet } from '../fleet/showFleet.ts';
export { initFolder } from '../init/initFolder.ts';
export { openRecording, recordingIn } from '../inspect/openRecording.ts';
export { writeReport } from '../report/writeReport.ts';
export { provisioningStatus, reprovision } from '../start/remoteAnswers.ts';
