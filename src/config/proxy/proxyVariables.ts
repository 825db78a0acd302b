import { PROXY_VARIABLES } from '../../secret.ts';

/** The environment's proxy, before it is known for which server. */
export interface VariableProxy {
  readonly variable: (typeof PROXY_VARIABLES)[number];
  readonly text: string;
}

/** proxy-from-env reads them in this order. */
export const NO_PROXY_VARIABLES = ['no_proxy', 'NO_PROXY'] as const;

/** The variable that names a proxy. An empty variable counts as not set. */
export function variableProxy(env: Readonly<Record<string, string | undefined>>): VariableProxy | undefined {
  const variable = PROXY_VARIABLES.find((name) => (env[name] ?? '') !== '');
  return variable === undefined ? undefined : { variable, text: env[variable] ?? '' };
}
