/** Progress of a fleet on standard error: a bar on a terminal, otherwise a line every few seconds. */

const DRAW_MS = 100;
const LINE_MS = 5000;
const BAR_CELLS = 30;

export interface Progress {
  ended(succeeded: boolean): void;
  close(): void;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** @param total number of devices */
export function openProgress(total: number, output: Output = process.stderr): Progress {
  const startedAt = performance.now();
  const drawable = output.isTTY === true && process.env.TERM !== 'dumb';
  let done = 0;
  let failed = 0;
  const text = (): string => {
    const seconds = (performance.now() - startedAt) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    const left = done === 0 ? '?' : ((total - done) / rate).toFixed(0);
    const state = `${done}/${total} devices, ${rate.toFixed(0)}/s, ${failed} failed, ${seconds.toFixed(0)} s`;
    return done === total ? state : `${state}, ${left} s left`;
  };
  const draw = (): void => {
    const filled = Math.round((BAR_CELLS * done) / total);
    output.write(`\r\x1b[K[${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}] ${text()}`);
  };
  const say = (): void => void output.write(`${text()}\n`);
  const timer = setInterval(drawable ? draw : say, drawable ? DRAW_MS : LINE_MS);
  return {
    ended(succeeded) {
      done += 1;
      if (!succeeded) failed += 1;
    },
    close() {
      clearInterval(timer);
      if (!drawable) return say();
      draw();
      output.write('\n');
    },
  };
}
