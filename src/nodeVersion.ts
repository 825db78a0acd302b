/**
 * The versions of Node that can run the agent. This is the first code of program and library, so it imports nothing. The
 * build writes it in a syntax that old versions understand.
 */

/** A range of versions, from a minor version on: of this major version alone, or of all later ones too. */
export interface NodeRange {
  readonly major: number;
  readonly minor: number;
  readonly alone: boolean;
}

/** `engines.node` of package.json, which the build inserts. */
declare const NODE_RANGES: readonly NodeRange[];

const EXIT_CONFIG = 78;

const inWords = ({ major, minor, alone }: NodeRange): string =>
  `${major}.${minor} or ${alone ? `a later ${major}.x` : 'later'}`;

/** @returns why a version of Node can't run the agent, in one sentence; undefined: it can */
export function nodeProblem(version: string, ranges: readonly NodeRange[]): string | undefined {
  const [its = 0, itsMinor = 0] = version.split('.').map(Number);
  const fits = ({ major, minor, alone }: NodeRange): boolean =>
    its === major ? itsMinor >= minor : its > major && !alone;
  if (ranges.some(fits)) return undefined;
  return `thermal-provision needs Node ${ranges.map(inWords).join(', or ')}; ${process.execPath} is Node ${version}.`;
}

/**
 * Refuses a version of Node that can't run the agent. If nobody catches the error, the process prints its message and
 * ends with 78, without a stack.
 * @throws Error NODE_UNSUPPORTED
 */
export function requireNode(): void {
  const problem = nodeProblem(process.versions.node, NODE_RANGES);
  if (problem === undefined) return;
  const { stackTraceLimit } = Error;
  // A stack would show the bundle's code, which helps nobody.
  Error.stackTraceLimit = 0;
  const refusal = Object.assign(new Error(problem), { code: 'NODE_UNSUPPORTED', exitStatus: EXIT_CONFIG });
  Error.stackTraceLimit = stackTraceLimit;
  process.on('uncaughtExceptionMonitor', (error) => {
    // A program that handles uncaught errors handles this one, too.
    if (error !== refusal || process.listenerCount('uncaughtException') > 0) return;
    process.stderr.write(`${problem}\n`);
    process.exit(EXIT_CONFIG);
  });
  throw refusal;
}
