/** Error codes of ThingsBoard's REST answers. */
export const UNAUTHENTICATED = 10;
export const PERMISSION_DENIED = 20;
export const INVALID_REQUEST = 31;
export const NOT_FOUND = 32;

/** A call that is refused, with the status of HTTP and the code in its body. */
export class RestRefusal extends Error {
  readonly status: number;
  readonly errorCode: number;

  constructor(status: number, message: string, errorCode: number) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

export const refusalBody = ({ status, message, errorCode }: RestRefusal): object => ({
  status,
  message,
  errorCode,
  timestamp: Date.now(),
});

export const invalid = (message: string): RestRefusal => new RestRefusal(400, message, INVALID_REQUEST);
export const notFound = (message: string): RestRefusal => new RestRefusal(404, message, NOT_FOUND);
