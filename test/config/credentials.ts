import type { ConfigCredentials } from '../../src/config/thermal/credentialsSections.ts';
import { accessToken } from '../support/accessToken.ts';

export const TOKEN = 'tok-0123456789abcdef';

/** Credentials as a run writes them. Single values can be replaced. */
export const credentials = (changes: Partial<ConfigCredentials> = {}): ConfigCredentials => ({
  host: 'tb.example',
  port: 1883,
  useSsl: false,
  login: accessToken(TOKEN),
  deviceId: 'thermal-camera-7B3F2A',
  provisionedAt: '2026-11-23T10:15:30.123Z',
  runId: 'run-1',
  backup: 'thermal_config.json.backup.20261123T101530.123Z',
  ...changes,
});
