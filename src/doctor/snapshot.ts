import { isFinalState } from '../../machines/provision.states.ts';
import { readSnapshot } from '../state/snapshotFile.ts';
import { type Checked, passed, warning } from './check.ts';

/** Checks the snapshot of an earlier run, which could make the next run fail. */
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
            'The next run sets the file aside and starts again with the names and tokens in credentials.json.',
          ),
        ],
      };
    case 'snapshot': {
      const { state, runId, error } = read.snapshot;
      const what = isFinalState(state) ? `ended as ${state}` : `stopped in ${state}; the next start resumes there`;
      return { findings: [passed(`run ${runId} ${what}${error === null ? '' : ` (${error.code})`}`)] };
    }
  }
}
