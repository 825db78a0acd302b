/** The labels in the output of `status` and in a report. docs/commands.md explains each of them. */
export const LABEL = {
  status: 'status',
  device: 'device',
  configuredAs: 'configured as',
  previousDevice: 'previous device',
  server: 'server',
  onServer: 'on server',
  state: 'state',
  since: 'since',
  attempt: 'attempt',
  waiting: 'waiting',
  run: 'run',
  agent: 'agent',
  backup: 'backup',
  trigger: 'trigger',
  error: 'error',
  hint: 'hint',
  warning: 'warning',
  setAside: 'set aside',
  next: 'next',
} as const;

export type Label = (typeof LABEL)[keyof typeof LABEL];
