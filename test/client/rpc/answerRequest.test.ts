import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerRequest, methodIn } from '../../../src/client/rpc/answerRequest.ts';
import { Failure } from '../../../src/failures/failure.ts';

const METHODS = { one: async () => ({ answer: '1' }), two: async () => ({ answer: '2' }) };

describe('a request of the server', () => {
  it.each(['', '{', 'null', '7', '"one"', '[]', '{}', '{"method":1}', '{"method":null}', '\u0000', '['.repeat(60_000)])(
    'that is malformed is answered with an error that names the methods: %s',
    async (payload) => {
      const { answer } = await answerRequest(METHODS, methodIn(Buffer.from(payload)));
      expect(JSON.parse(answer).error).toMatchObject({
        reason: 'malformed',
        hint: 'The methods are one and two.',
      });
    },
  );

  it('may have parameters of any shape', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (params) => {
        const payload = Buffer.from(JSON.stringify({ method: 'two', params }));
        expect(await answerRequest(METHODS, methodIn(payload))).toEqual({ answer: '2' });
      }),
      { numRuns: 50 },
    );
    const large = Buffer.from(JSON.stringify({ method: 'two', params: 'x'.repeat(65_000) }));
    expect((await answerRequest(METHODS, methodIn(large))).answer).toBe('2');
  });

  it.each(['three', 'constructor', '__proto__', 'toString', 'One', ''])(
    'for a method that the camera does not have is answered with an error: %s',
    async (method) => {
      const { answer } = await answerRequest(METHODS, method);
      expect(JSON.parse(answer).error).toMatchObject({
        reason: 'unknown method',
        hint: 'The methods are one and two.',
      });
    },
  );

  it('has only the beginning of a long method in its answer', async () => {
    expect((await answerRequest(METHODS, 'm'.repeat(60_000))).answer.length).toBeLessThan(250);
  });

  it('whose method fails is answered with code, message and hint', async () => {
    const failing = { one: () => Promise.reject(new Failure('LOCKED', 'byProcess', { folder: '/d', pid: '7' })) };
    const { answer, ends } = await answerRequest(failing, 'one');
    expect(JSON.parse(answer).error).toMatchObject({
      reason: 'not possible',
      code: 'LOCKED',
      hint: expect.stringMatching(/./),
    });
    expect(ends).toBeUndefined();
  });
});
