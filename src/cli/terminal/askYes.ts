import { createInterface } from 'node:readline/promises';
import { Failure } from '../../failures/failure.ts';

/** Longest wait for an answer. */
const ANSWER_LIMIT_MS = 5 * 60 * 1000;

/**
 * Asks a question on the terminal.
 * @returns whether the answer was yes; no answer counts as no
 * @throws Failure USAGE without a terminal: `--yes` is needed
 */
export async function askYes(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Failure('USAGE', 'noTerminal', {});
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => dialogue.once('close', () => resolve('')));
    const answer = dialogue.question(`${question} [y/N] `, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    return /^y(es)?$/i.test((await Promise.race([answer.catch(() => ''), closed])).trim());
  } finally {
    dialogue.close();
  }
}
