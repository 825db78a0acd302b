import { setTimeout as delay } from 'node:timers/promises';
import {
  type ActiveState,
  isFinalState,
  type ProvisionState,
  STATES,
  stepsDone,
} from '../../../machines/provision.states.ts';
import type { ProvisionContext } from '../../../machines/provision.types.ts';
import { toFailureRecord } from '../../failures/failure.ts';
import { openUnblocked, type UnblockedOutput } from '../../files/unblockedOutput.ts';
import type { EventName } from '../../log/eventTypes.ts';
import type { LogRecord, LogSink } from '../../log/log.ts';
import { isEvent } from '../../log/recordedEvent.ts';
import type { AgentResult } from '../../provision/result.ts';
import { type Paint, paintFor, printable } from './paint.ts';

/** Shows one run on a terminal: finished steps with a tick, below them one line that is redrawn. */
export interface Progress {
  readonly sink: LogSink;
  onState(state: ProvisionState, context: ProvisionContext): void;
  /** Shows how the run ended. Waits a moment if the terminal stalls, but not if it is gone. */
  end(result: AgentResult): Promise<void>;
}

/** The terminal of the display. */
export interface Screen {
  readonly output: UnblockedOutput;
  /** Width of a line. Read at each drawing, because the window may change. */
  columns(): number;
  readonly paint: Paint;
  readonly folder: string;
}

/** Events that the display shows in its own lines. */
const SHOWN_OTHERWISE: ReadonlySet<string> = new Set([
  'backoff.waiting',
  'run.failed',
  'run.interrupted',
  'run.withdrawn',
] satisfies EventName[]);

const REFRESH_MS = 250;
/** Output to a stalled terminal must not fill the memory. */
const MAX_PENDING_BYTES = 64 * 1024;
const LAST_LINES_MS = 300;
const NARROWEST = 10;
/** Returns to the start of the line and clears it. */
const CLEAR_LINE = '\r\x1b[K';

/**
 * Opens the display on standard error; undefined: it can't be drawn without waiting for the terminal.
 * @param folder the device folder as given, for the command to type next
 */
export function openProgress(folder: string): Progress | undefined {
  const output = openUnblocked('/proc/self/fd/2');
  if (output === undefined) return undefined;
  const columns = (): number => process.stderr.columns || 80;
  return createProgress({ output, columns, paint: paintFor(process.stderr), folder });
}

/**
 * Makes the display. It never hides the cursor, because `kill -9` would leave it hidden. An error of the terminal ends the
 * display, not the run.
 */
export function createProgress({ output, columns, paint, folder }: Screen, now = () => performance.now()): Progress {
  let pending = Buffer.alloc(0);
  let alive = true;
  /** Makes the text of the redrawn line; undefined: there is no such line. */
  let liveLine: (() => string) | undefined;
  let step: ActiveState | undefined;
  let nothing = '';

  const flush = (): void => {
    try {
      while (alive && pending.length > 0) {
        const taken = output.write(pending);
        if (taken === 0) return;
        pending = pending.subarray(taken);
      }
    } catch {
      alive = false;
    }
  };
  const put = (text: string): void => {
    const bytes = Buffer.from(text);
    if (!alive || pending.length + bytes.length > MAX_PENDING_BYTES) return;
    pending = Buffer.concat([pending, bytes]);
    flush();
  };
  const fitted = (text: string): string => [...text].slice(0, Math.max(NARROWEST, columns()) - 1).join('');
  const draw = (): void => {
    flush();
    // Pending output comes first. A later call draws the line.
    if (liveLine !== undefined && pending.length === 0) put(`${CLEAR_LINE}${fitted(printable(liveLine()))}`);
  };
  const say = (mark: string, text: string): void => {
    put(`${CLEAR_LINE}${mark} ${folded(printable(text), columns() - 2).join('\n  ')}\n`);
    draw();
  };
  const timer = setInterval(draw, REFRESH_MS);
  timer.unref();

  return {
    sink: (record: LogRecord) => {
      const { event, level, message } = record;
      if (event === 'run.nothing') nothing = message;
      if (isEvent(record, 'splay.waiting')) {
        liveLine = spreading(record.details.ms, now);
        draw();
      }
      if ((level === 'warn' || level === 'error') && !SHOWN_OTHERWISE.has(event)) say(paint('yellow', '!'), message);
    },
    onState(state, context) {
      const before = step;
      step = isFinalState(state) ? undefined : state;
      liveLine = undefined;
      if (before !== undefined && isDone(before, state)) say(paint('green', '✓'), lineOf(before));
      if (state === 'backoff') {
        if (context.waitingFor === 'retry' && context.lastFailure !== null) {
          const { code, message } = context.lastFailure;
          say(paint('yellow', '!'), `${before === undefined ? '' : `${before}: `}${code}: ${message}`);
        }
        liveLine = waiting(context, now);
      } else if (!isFinalState(state)) liveLine = working(state, context, now);
      draw();
    },
    async end(result) {
      clearInterval(timer);
      liveLine = undefined;
      say(...ending(result, paint, folder, nothing));
      const until = performance.now() + LAST_LINES_MS;
      while (alive && pending.length > 0 && performance.now() < until) {
        await delay(20);
        flush();
      }
      output.close();
      alive = false;
    },
  };
}

/** Breaks text at spaces into lines of at most this width. A longer word stays whole. */
function folded(text: string, columns: number): string[] {
  const width = Math.max(NARROWEST, columns);
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [''];
    for (const word of line.split(' ')) {
      const last = lines.at(-1) ?? '';
      const longer = last === '' ? word : `${last} ${word}`;
      if (longer.length <= width || last === '') lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  });
}

/** A state is done when its step is done. A side path is also done when the run returns to the main path. */
function isDone(state: ActiveState, next: ProvisionState): boolean {
  const { step, mainPath } = STATES[state];
  const done = stepsDone(next);
  if (step === null || done === null) return false;
  return done >= step || (done === step - 1 && STATES[next].mainPath && !mainPath);
}

const lineOf = (state: ActiveState): string => `${state}: ${STATES[state].doing}`;

const attemptOf = ({ retries, settings }: ProvisionContext): string =>
  settings === null ? '' : `attempt ${retries + 1} of ${settings.maxRetries + 1}`;

/** The attempt comes before the description, so that a narrow terminal shows it. */
function working(state: ActiveState, context: ProvisionContext, now: () => number): () => string {
  const since = now();
  const attempt = context.retries === 0 ? '' : ` (${attemptOf(context)})`;
  return () => {
    const seconds = Math.floor((now() - since) / 1000);
    return `… ${state}${seconds === 0 ? '' : ` ${seconds} s`}${attempt}: ${STATES[state].doing}`;
  };
}

/** Counts down the length of the pause, because the clock may jump. */
function waiting(context: ProvisionContext, now: () => number): () => string {
  const end = now() + Math.max(0, (context.retryAt ?? context.now) - context.now);
  const what = context.waitingFor === 'retry' ? attemptOf(context) : `${context.waitingFor ?? 'next try'}`;
  return () => `… backoff: ${what} in ${Math.max(0, Math.ceil((end - now()) / 1000))} s`;
}

function spreading(ms: number, now: () => number): () => string {
  const end = now() + ms;
  return () => `… prepare: first contact in ${Math.max(0, Math.ceil((end - now()) / 1000))} s (--splay)`;
}

function ending(
  { outcome, deviceName, failure }: AgentResult,
  paint: Paint,
  folder: string,
  nothing: string,
): [string, string] {
  const status = `thermal-provision status${folder === '.' ? '' : ` --dir ${folder}`}`;
  switch (outcome) {
    case 'provisioned':
      return [paint('green', '✓'), `Provisioned as ${deviceName}; thermal_config.json has the new credentials`];
    case 'nothing':
      return [paint('green', '✓'), nothing];
    case 'withdrawn':
      return [
        paint('yellow', '!'),
        `provision.txt was removed, so no further request is sent\nTo see what may be left: ${status}`,
      ];
    case 'interrupted':
      return [paint('yellow', '!'), 'Interrupted; the next start resumes the run'];
    case 'failed': {
      const { code, message, hint, exitStatus } = failure ?? toFailureRecord(new Error('failed without a reason'));
      return [paint('red', '✗'), `${code}: ${message}\n→ ${hint}\nExit status ${exitStatus}; for more: ${status}`];
    }
  }
}
