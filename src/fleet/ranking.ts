import type { Camera } from './camera.ts';

const MAX_RANKED = 5;
/** Documents that were collected together are not worth a ranking by their time. */
const SAME_COLLECTION_MS = 24 * 60 * 60 * 1000;

type Measure = 'durationMs' | 'since' | 'seenAt';

/** The cameras with the largest values of a measure first. Cameras without a value are left out. */
function ranked(cameras: readonly Camera[], measure: Measure, sign: 1 | -1): readonly Camera[] {
  return cameras
    .flatMap((camera) => (camera[measure] === null ? [] : { camera, value: sign * camera[measure] }))
    .sort((one, other) => other.value - one.value)
    .slice(0, MAX_RANKED)
    .map(({ camera }) => camera);
}

/** The cameras whose latest run took the longest time to work. */
export const slowest = (cameras: readonly Camera[]): readonly Camera[] => ranked(cameras, 'durationMs', 1);

/** The cameras whose latest run reached its state the longest time ago. */
export const longestUnchanged = (cameras: readonly Camera[]): readonly Camera[] => ranked(cameras, 'since', -1);

/** The cameras that were seen the longest time ago, if that is a day or more before the newest of the fleet. */
export function longestUnseen(cameras: readonly Camera[]): readonly Camera[] {
  const newest = cameras.reduce((latest, { seenAt }) => Math.max(latest, seenAt ?? latest), Number.NEGATIVE_INFINITY);
  return ranked(cameras, 'seenAt', -1).filter(({ seenAt }) => (seenAt ?? newest) <= newest - SAME_COLLECTION_MS);
}
