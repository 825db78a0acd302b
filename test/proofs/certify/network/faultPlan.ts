/** Turns the packets of a recorded, fault-free conversation into every fault that the suite tries. */

import {
  type FaultProxyOptions,
  NETWORK_FAULTS,
  type NetworkFault,
  type PacketPlace,
  type PlacedFault,
} from '../../../support/faultProxy.ts';

/** These act on a boundary, so that there is one more of them than packets: behind the last. */
const AT_BOUNDARY: readonly NetworkFault[] = ['cut', 'reset', 'stall'];
/** These are repeated on every later connection too, in the ordinary run: they spend the retries. */
const REPEATED: readonly NetworkFault[] = ['cut', 'corruptLength'];

const sameDirection = (a: PacketPlace, b: PacketPlace): boolean =>
  a.connection === b.connection && a.direction === b.direction;

const placeText = ({ connection, direction, packet }: PacketPlace): string =>
  `connection ${connection}, ${direction}, packet ${packet}`;

/** The fault in words, for whoever has to repeat it. */
export const faultText = (fault: PlacedFault): string =>
  `${fault.fault}${fault.lasting === true ? ' (lasting)' : ''} ${fault.behind === true ? 'behind' : 'at'} ${placeText(fault)}`;

/**
 * @param seen packets of the recorded conversation
 * @param options the connections that count, and whether every fault is repeated too
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

/** Distinct boundaries and packets that are touched, whatever is done there. */
export const pointsOf = (faults: readonly PlacedFault[], framing: FaultProxyOptions['framing']): readonly string[] =>
  faults.map((fault) => `${framing} ${placeText(fault)} ${fault.behind === true ? 'behind' : 'at'}`);
