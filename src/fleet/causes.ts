import type { StatusWord } from '../status/deviceStatus.ts';
import type { Camera } from './camera.ts';
import { severityOf } from './fleet.ts';

/** Cameras that need somebody for the same reason. */
export interface Cause {
  readonly status: StatusWord;
  readonly code: string;
  readonly server: string | null;
  /** The message, if it is equal for all of them; else empty. */
  readonly message: string;
  readonly hint: string;
  readonly cameras: readonly Camera[];
}

/** Groups the cameras that need somebody by status, code, server and hint. Errors are first, then the largest group. */
export function causesOf(cameras: readonly Camera[]): readonly Cause[] {
  const groups = new Map<string, Camera[]>();
  for (const camera of cameras) {
    if (camera.problem === null) continue;
    const key = JSON.stringify([camera.status, camera.problem.code, camera.server, camera.problem.pattern]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [camera]);
    else group.push(camera);
  }
  return [...groups.values()]
    .map(causeOf)
    .sort(
      (one, other) => severityOf(one.status) - severityOf(other.status) || other.cameras.length - one.cameras.length,
    );
}

function causeOf(cameras: readonly Camera[]): Cause {
  const problems = cameras.flatMap(({ problem }) => problem ?? []);
  const same = (texts: readonly string[]): string | undefined => (new Set(texts).size === 1 ? texts[0] : undefined);
  return {
    status: cameras[0]?.status ?? 'error',
    code: problems[0]?.code ?? '',
    server: cameras[0]?.server ?? null,
    message: same(problems.map(({ message }) => message)) ?? '',
    hint: same(problems.map(({ hint }) => hint)) ?? problems[0]?.pattern ?? '',
    cameras,
  };
}

/** How often each value occurs, the most frequent first. */
export function countsOf<T extends string | null>(
  values: readonly T[],
): readonly (readonly [value: T, count: number])[] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}

/** "1 camera", "23 cameras". */
export const camerasText = (count: number): string => `${count} ${count === 1 ? 'camera' : 'cameras'}`;
