import { describe, expect, it } from 'vitest';
import { drawRandom, generateRunId } from '../../src/device/candidate.ts';

describe('a generated token', () => {
  it("has 20 letters and digits, like ThingsBoard's own, and is never the same", () => {
    const tokens = Array.from({ length: 200 }, () => drawRandom('token').reveal());
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(new Set(tokens).size).toBe(200);
  });

  it('uses every letter and digit', () => {
    const used = new Set(Array.from({ length: 200 }, () => drawRandom('token').reveal()).join(''));
    expect(used.size).toBe(62);
  });
});

describe('the identifier of a run', () => {
  it('has 16 hexadecimal digits, and is never the same', () => {
    const ids = Array.from({ length: 100 }, generateRunId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(ids).size).toBe(100);
  });
});
