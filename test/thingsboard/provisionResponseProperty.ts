import fc from 'fast-check';
import { expect } from 'vitest';
import { Failure } from '../../src/failures/failure.ts';
import { parseProvisionResponse } from '../../src/thingsboard/provisionResponse.ts';
import { everyWordOf } from '../config/scratch.ts';
import { type Property, property } from '../support/property.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';

/** Answers that are nearly right: each part is right, of a wrong type, or missing. */
const nearlyRight = fc.record(
  {
    status: fc.oneof(fc.constant('SUCCESS'), fc.constantFrom('FAILURE', 'NOT_FOUND', 'success'), fc.jsonValue()),
    credentialsType: fc.oneof(
      fc.constantFrom('ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE', `type-${TOKEN}`),
      fc.jsonValue(),
    ),
    credentialsValue: fc.oneof(
      fc.string().map((text) => TOKEN + text),
      fc.string({ unit: 'binary' }).map((text) => `${text}\u0007${TOKEN}`),
      fc.jsonValue().map((value) => ({ value, TOKEN })),
    ),
  },
  { requiredKeys: [] },
);

/** The text of these answers, complete or damaged in one place. */
const damaged = fc
  .tuple(nearlyRight, fc.nat(), fc.string({ maxLength: 4 }), fc.boolean())
  .map(([answer, at, put, whole]) => {
    const text = JSON.stringify(answer);
    const place = at % (text.length + 1);
    return whole ? text : text.slice(0, place) + put + text.slice(place + put.length);
  });

const payload = fc.oneof(
  damaged.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

export const provisionResponseProperty: Property = property(
  "the server's answer: it is a response, or a Failure that does not show the token",
  2000,
  payload,
  (bytes) => {
    try {
      const response = parseProvisionResponse(bytes);
      expect(['SUCCESS', 'FAILURE', 'NOT_FOUND']).toContain(response.status);
      expect(JSON.stringify(response)).not.toContain(TOKEN);
      if (response.status === 'SUCCESS' && response.credentials.type === 'ACCESS_TOKEN') {
        expect(response.credentials.token.reveal()).toMatch(/^\P{Cc}+$/u);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      expect(['ANSWER_INVALID', 'CREDENTIALS_TYPE_UNSUPPORTED']).toContain(error.code);
      expect(everyWordOf(error)).not.toContain(TOKEN.slice(0, 8));
    }
  },
);
