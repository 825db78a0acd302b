import { nameOf } from './chartAnswers.ts';

/** What happens to one request at the server. */
export interface RequestFate {
  /** Whether the request reaches the server. */
  readonly arrives: boolean;
  /** Time to commit, ms; ThingsBoard's back end gives up after 20 s (docs/thingsboard.md, section 1). */
  readonly commitsAfter: number;
  /** Whether the answer reaches the client. */
  readonly answered: boolean;
  /** FAILURE although the name is free: the tenant's limit, or a race with another request. */
  readonly limited: boolean;
}

interface InFlight {
  readonly name: string;
  readonly commitsAt: number;
}

export interface ModelServer {
  /** Handles a request. @returns the answer */
  request(nameIndex: number, now: number, fate: RequestFate): 'SUCCESS' | 'FAILURE' | 'no answer';
  /** Whether the server knows the token of that name. */
  knows(nameIndex: number, now: number): boolean;
  /** The devices of this agent. */
  devices(now: number): readonly string[];
}

/**
 * ThingsBoard's registry reduced to its unique index: a name is committed once, late or not, and a request for a name
 * that exists gets FAILURE (docs/thingsboard.md, section 4). All times are true time, ms.
 * @param taken indices of names that another device already has
 */
export function modelServer(taken: ReadonlySet<number>): ModelServer {
  const committed = new Set<string>();
  let inFlight: InFlight[] = [];
  const advance = (now: number): void => {
    for (const { name, commitsAt } of inFlight) if (commitsAt <= now) committed.add(name);
    inFlight = inFlight.filter(({ commitsAt }) => commitsAt > now);
  };
  return {
    request(nameIndex, now, { arrives, commitsAfter, answered, limited }) {
      advance(now);
      const name = nameOf(nameIndex);
      if (!arrives) return 'no answer';
      const refused = limited || committed.has(name) || taken.has(nameIndex);
      if (answered) {
        if (refused) return 'FAILURE';
        committed.add(name);
        return 'SUCCESS';
      }
      if (!refused) inFlight.push({ name, commitsAt: now + commitsAfter });
      return 'no answer';
    },
    knows(nameIndex, now) {
      advance(now);
      return committed.has(nameOf(nameIndex));
    },
    devices(now) {
      advance(now);
      return [...committed];
    },
  };
}
