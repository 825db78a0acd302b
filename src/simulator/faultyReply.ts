import type { MessageFault } from './faults.ts';
import type { Message } from './message.ts';
import type { Reply, ServerContext } from './serverContext.ts';
import { closeUnacknowledged } from './serverContext.ts';

const FAULT = 'a scripted fault';

/** The reply of a fault that commits nothing; undefined for any other fault. */
async function replyInstead(fault: MessageFault | undefined, context: ServerContext): Promise<Reply | undefined> {
  switch (fault?.action) {
    case 'close':
      return closeUnacknowledged(FAULT);
    case 'silence':
      return { puback: false };
    case 'silenceThenPubackAndClose':
      await context.timers.wait(fault.ms ?? context.times.backEndTimeoutMs);
      return { puback: true, close: FAULT };
    default:
      return undefined;
  }
}

const changeEach = (reply: Reply, change: (message: Message) => Message[]): Reply => ({
  ...reply,
  messages: (reply.messages ?? []).flatMap(change),
});

function withFault(reply: Reply, fault: MessageFault | undefined): Reply {
  switch (fault?.action) {
    case 'dropAnswer':
      return { puback: false };
    case 'dropAnswerAndClose':
      return closeUnacknowledged(FAULT);
    case 'pubackOnly':
      return { puback: reply.puback };
    case 'malformedAnswer':
      return changeEach(reply, ({ topic, payload }) => [
        { topic, payload: payload.subarray(0, Math.floor(payload.length / 2)) },
      ]);
    case 'answer': {
      const payload = Buffer.from(fault.payload);
      return changeEach(reply, ({ topic }) => [{ topic, payload }]);
    }
    case 'duplicateAnswer':
      return changeEach(reply, (message) => [message, message]);
    case 'answerOnOtherTopic':
      return changeEach(reply, ({ topic, payload }) => [{ topic: fault.topic ?? `${topic}/other`, payload }]);
    case 'answerThenClose':
      return { ...reply, close: FAULT, closeAfterMs: 0 };
    default:
      return reply;
  }
}

/**
 * Handles a PUBLISH with the simulator's latency and with the fault, if there is one.
 * @param work commits the request and returns the correct reply
 */
export async function replyWithFault(
  context: ServerContext,
  fault: MessageFault | undefined,
  work: () => Reply | Promise<Reply>,
): Promise<Reply> {
  const instead = await replyInstead(fault, context);
  if (instead !== undefined) return instead;
  const reply = await work();
  await context.timers.wait(context.times.latencyMs + (fault?.action === 'delay' ? fault.ms : 0));
  return withFault(reply, fault);
}
