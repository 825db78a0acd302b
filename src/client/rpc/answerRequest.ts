import { toFailure } from '../../failures/failure.ts';
import { type RpcMethods, type RpcResult, refused } from './methods.ts';

const MAX_SHOWN_NAME = 40;

/** The name of the method in a request; undefined: the request is malformed. */
export function methodIn(payload: Uint8Array): string | undefined {
  try {
    const request: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    const method: unknown =
      typeof request === 'object' && request !== null ? Reflect.get(request, 'method') : undefined;
    return typeof method === 'string' ? method : undefined;
  } catch {
    return undefined;
  }
}

/** Does what a request asks for. Never throws. @param method undefined: the request is malformed */
export async function answerRequest(methods: RpcMethods, method: string | undefined): Promise<RpcResult> {
  const known = `The methods are ${Object.keys(methods).join(' and ')}.`;
  if (method === undefined) {
    const message = 'The request is not a JSON object with the text "method"';
    return refused({ reason: 'malformed', message, hint: known });
  }
  const call = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (call === undefined) {
    const message = `The camera has no method ${JSON.stringify(method.slice(0, MAX_SHOWN_NAME))}`;
    return refused({ reason: 'unknown method', message, hint: known });
  }
  try {
    return await call();
  } catch (error) {
    const { code, message, hint } = toFailure(error);
    return refused({ reason: 'not possible', code, message, hint });
  }
}
