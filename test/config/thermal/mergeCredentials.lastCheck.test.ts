/** A merge that went wrong never reaches the camera. jsonc-parser does not err, so the tests err in its place. */
import { applyEdits } from 'jsonc-parser';
import { describe, expect, it, vi } from 'vitest';
import { mergeCredentials } from '../../../src/config/thermal/mergeCredentials.ts';
import { credentials, TOKEN } from '../credentials.ts';
import { everyWordOf, failureOf } from '../scratch.ts';

vi.mock('jsonc-parser', { spy: true });

const WHOLE =
  '{"a":1,"thingsboard":{"host":"h","keep_alive_seconds":60},"telemetry":{"interval_seconds":15},"provisioning":{"by":"me"}}';

/** Merges with a parser that, in addition, replaces one text. */
const merge = (before: string, from: string, to: string) => {
  vi.mocked(applyEdits).mockImplementationOnce((text) => text.replace(from, to));
  return failureOf(() => mergeCredentials(Buffer.from(before), credentials()));
};

describe('mergeCredentials fails rather than', () => {
  it.each([
    ['change a key of another section', WHOLE, '"a":1', '"a":2'],
    ['change a key of thingsboard that it does not set', WHOLE, '"keep_alive_seconds":60', '"keep_alive_seconds":61'],
    ['change the telemetry of the camera', WHOLE, '"interval_seconds":15', '"interval_seconds":16'],
    ['change a key of provisioning that it does not set', WHOLE, '"by":"me"', '"by":"you"'],
    ['change another section while it adds its own', '{"a":1}', '{"a":1}', '{"a":2,"thingsboard":{},"telemetry":{}}'],
    ['lose a section', WHOLE, '"telemetry":{"interval_seconds":15},', ''],
    ['write a text that is not JSON', WHOLE, '"by":"me"', '"by":"me",'],
  ])('%s', async (_what, before, from, to) => {
    const failure = await merge(before, from, to);
    expect(failure.code).toBe('INTERNAL');
    expect(failure.message).toContain('would have changed more than the credentials');
    expect(everyWordOf(failure)).not.toContain(TOKEN);
  });

  it('may set its own keys', () => {
    const merged = mergeCredentials(Buffer.from(WHOLE), credentials());
    expect(JSON.parse(merged.toString()).thingsboard.access_token).toBe(TOKEN);
  });
});
