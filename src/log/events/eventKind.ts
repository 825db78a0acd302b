import type { LogLevel } from '../levels.ts';

/** The type of a field of each kind. */
export interface FieldValues {
  text: string;
  'text or null': string | null;
  number: number;
  flag: boolean;
  texts: readonly string[];
}
export type FieldKinds = Readonly<Record<string, keyof FieldValues>>;

export interface EventKind {
  /** With several levels, the event has a different meaning at each level. */
  readonly level: LogLevel | readonly LogLevel[];
  /** Fields that the event always has. */
  readonly fields?: FieldKinds;
  /** Fields that the event has only sometimes. */
  readonly optional?: FieldKinds;
  readonly meaning: string;
}

/** A FailureRecord without its message, which is the message of the line. */
export const FAILURE = {
  code: 'text',
  hint: 'text',
  exitStatus: 'number',
  retryable: 'flag',
  causes: 'texts',
} as const;
export const NAMED = { deviceName: 'text' } as const;
export const FILE = { file: 'text' } as const;
