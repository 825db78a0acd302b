import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AgentOptions } from '../provision/pass.ts';
import { VERSION } from '../version.ts';
import type { RunInspector } from '../watch/observer.ts';

/** A page of this program, or the port of the Stately inspector's server. */
export type InspectTarget = 'page' | { readonly statelyPort: number };

/** The value of `--inspect`; absent: the run is not watched. */
export interface InspectArguments {
  readonly inspect?: InspectTarget | true;
}

const MAX_PORT = 65_535;
/** Where the Stately inspector's own server listens by default. */
const DEFAULT_STATELY_PORT = 8080;
const STATELY = /^stately(?::(\d{1,5}))?$/;

function parseTarget(text: string): InspectTarget {
  if (text === 'page') return 'page';
  const match = STATELY.exec(text);
  const port = Number(match?.[1] ?? DEFAULT_STATELY_PORT);
  if (match === null || port < 1 || port > MAX_PORT) {
    throw new InvalidArgumentError('Expected no value, stately, or stately:PORT.');
  }
  return { statelyPort: port };
}

export function addInspectOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--inspect [target]',
      'for developers: show the charts live on a page on this machine, or with =stately[:PORT] in the Stately inspector',
    ).argParser(parseTarget),
  );
}

const say = (text: string): void => void process.stderr.write(`inspector: ${text}\n`);

/** The inspector that `--inspect` has started. Without the option, it does nothing. */
export interface OpenedInspector {
  readonly watched: Pick<AgentOptions, 'inspect'>;
  readonly close: RunInspector['close'];
}

/** Starts the inspector of `--inspect`. If it can't start, the run continues without it. */
export async function openInspector(given: InspectArguments): Promise<OpenedInspector> {
  const inspector = await startInspector(given);
  if (inspector === undefined) return { watched: {}, close: async () => {} };
  return { watched: { inspect: inspector.observe }, close: () => inspector.close() };
}

async function startInspector({ inspect }: InspectArguments): Promise<RunInspector | undefined> {
  if (inspect === undefined) return undefined;
  try {
    if (typeof inspect === 'object') {
      const { inspectWithStately } = await import('./parts/diagnosis.ts');
      return inspectWithStately({ port: inspect.statelyPort, say });
    }
    const { inspectOnPage } = await import('./parts/diagnosis.ts');
    const opened = await inspectOnPage(VERSION);
    say(opened.url);
    return opened;
  } catch (error) {
    say(`not started: ${error instanceof Error ? error.message : 'unknown reason'}`);
    return undefined;
  }
}
