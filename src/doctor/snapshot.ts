import { isFinalState } from '../../machines/provision.states.ts';
import { readSnapshot } from '../state/snapshotFile.ts';
import { type Checked, passed, warning } from './check.ts';

/** What an earlier run has left, as far as it could stop the next one. */
export async function checkSnapshot(path: string): Promise<Checked<never>> {
  const read = await readSnapshot(path);
  switch (read.kind) {
    case 'absent':
      return { findings: [passed('no earlier run')] };
    case 'damaged':
      return {
        findings: [
          warning(
            `${path} can't be used: ${read.why}`,
            'The next run moves it out of the way and begins anew, with what credentials.json holds.',
          ),
        ],
      };
    case 'snapshot': {
      const { state, runId, error } = read.snapshot;
      const what = isFinalState(state) ? `ended as ${state}` : `stands in ${state}, the next start goes on from there`;
      return { findings: [passed(`run ${runId} ${what}${error === null ? '' : ` (${error.code})`}`)] };
    }
  }
}
