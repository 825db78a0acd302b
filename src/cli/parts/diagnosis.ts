/** The code of `doctor`, `report`, `inspect` and `--inspect`: one part of the bundle (see files.ts). */
export { inspectOnPage } from '../../watch/livePage.ts';
export { inspectWithStately } from '../../watch/stately.ts';
export { runDoctor } from '../doctor/runDoctor.ts';
export { openRecording, recordingIn } from '../inspect/openRecording.ts';
export { writeReport } from '../report/writeReport.ts';
