/** Plans the faults of the suite for the packets of a recorded conversation without faults. */

import {
  type FaultProxyOptions,
  NETWORK_FAULTS,
  type NetworkFault,
  type PacketPlace,
  type PlacedFault,
} from '../../../support/faultProxy.ts';

/** Faults that act between packets, so that one more place exists: after the last packet. */
const AT_BOUNDARY: readonly NetworkFault[] = ['cut', 'reset', 'stall'];
/** Faults that a normal run also repeats on every later connection, which uses up the retries. */
const REPEATED: readonly NetworkFault[] = ['cut', 'corruptLength'];

const sameDirection = (a: PacketPlace, b: PacketPlace): boolean =>
  a.connection === b.connection && a.direction === b.direction;

const placeText = ({ connection, direction, packet }: PacketPlace): string =>
  `connection ${connection}, ${direction}, packet ${packet}`;

/** The fault as text, for repeating it. */
export const faultText = (fault: PlacedFault): string =>
  `${fault.fault}${fault.lasting === true ? ' (lasting)' : ''} ${fault.behind === true ? 'behind' : 'at'} ${placeText(fault)}`;

/**
 * @param seen the packets of the recorded conversation
 * @param options the connections to use, and whether every fault is also repeated
 */
export function planFaults(
  seen: readonly PacketPlace[],
  options: { readonly connections: readonly number[]; readonly full: boolean; readonly repeat: boolean },
): readonly PlacedFault[] {
  const places = seen.filter(({ connection }) => options.connections.includes(connection));
  return places.flatMap((place) => {
    const last = !places.some((other) => sameDirection(place, other) && other.packet > place.packet);
    const once: PlacedFault[] = [
      ...NETWORK_FAULTS.map((fault) => ({ ...place, fault })),
      ...(last ? AT_BOUNDARY.map((fault) => ({ ...place, fault, behind: true })) : []),
    ];
    if (!options.repeat) return once;
    const repeated = once.filter(({ fault }) => options.full || REPEATED.includes(fault));
    return [...once, ...repeated.map((fault) => ({ ...fault, lasting: true }))];
  });
}

/** The distinct boundaries and packets of the faults. */
export const pointsOf = (faults: readonly PlacedFault[], framing: FaultProxyOptions['framing']): readonly string[] =>
  faults.map((fault) => `${framing} ${placeText(fault)} ${fault.behind === true ? 'behind' : 'at'}`);
