import type { RequestInput, RequestOutput } from '../../machines/provision.types.ts';
import { currentSettings, endpointOf } from '../config/provision/currentSettings.ts';
import { areEqual, type DeviceCredentials, fingerprintOf, loginOf } from '../deviceCredentials.ts';
import { hostAndPort } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import { Failure, toFailure, toFailureRecord } from '../failures/failure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import type { Candidate, Credentials, IssuedCredentials } from '../state/credentials.ts';
import { issuedSummary, storeAnswered, storedCredentials, storeIssued } from '../state/runCredentials.ts';
import { exchange } from '../thingsboard/exchange.ts';
import { provisionRequestPayload } from '../thingsboard/provisionRequest.ts';
import {
  type AnsweredCredentials,
  type ProvisionResponse,
  parseProvisionResponse,
} from '../thingsboard/provisionResponse.ts';
import { PROVISION_REQUEST_TOPIC, PROVISION_RESPONSE_TOPIC, PROVISION_USER } from '../thingsboard/topics.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * FR-004, FR-006: one provisioning exchange. Once the request may have been sent, almost every problem is an outcome
 * that `reconcile` resolves, not a failure. Issued credentials are durable before this resolves.
 * @throws Failure of every problem before the request is sent; PROVISION_KEY_REFUSED, CREDENTIALS_TYPE_UNSUPPORTED,
 * CLIENT_KEY_UNUSABLE
 */
export async function request(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<RequestInput>,
): Promise<RequestOutput> {
  const { clock, log, paths, standby } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const server = await endpointOf(settings, paths.deviceFolder);
  const stored = await storedCredentials(dependencies);
  const { nameIndex, unanswered } = input;
  const candidate = candidateOf(stored, nameIndex, paths.credentials);
  const address = hostAndPort(server);
  // Durable before the request: after a kill, the answer to this request is missing.
  const credentials = candidate.answered ? await storeAnswered(dependencies, stored, nameIndex, false) : stored;

  const end = await exchange({
    server,
    clientId: candidate.name,
    username: PROVISION_USER,
    question: {
      topic: PROVISION_REQUEST_TOPIC,
      payload: provisionRequestPayload({
        deviceKey: settings.deviceKey,
        deviceSecret: settings.deviceSecret,
        deviceName: candidate.name,
        credentials: candidate.credentials,
        gateway: settings.gateway,
      }),
      answerTopic: PROVISION_RESPONSE_TOPIC,
      subscribe: true,
    },
    timeoutMs: settings.timeoutSeconds * 1000,
    signal,
    onStage: (stage) => {
      if (stage === 'connected') return log.debug('request.connected', `Connected to ${address}`, { server: address });
      // The next step tests a token, so its connection is opened during this exchange: with TLS that saves two round trips.
      standby.open({ ...server, clientCertificate: loginOf(candidate.credentials, candidate.name).clientCertificate });
      if (stage === 'secured') return;
      log.info('request.sent', `Asked ${address} to register ${candidate.name}`, { server: address });
    },
  });

  // The fault may have broken the standby connection too.
  if (end.kind !== 'answer') standby.close();
  if (end.kind === 'failed' && end.asked) return unknownOutcome(dependencies, end.failure);
  const response = end.kind === 'answer' ? readResponse(end.payload) : undefined;
  if (response instanceof Failure) return unknownOutcome(dependencies, response);
  if (response?.status === 'SUCCESS') {
    return issuedOutcome(dependencies, credentials, {
      deviceName: candidate.name,
      credentials: await withKey(response.credentials, candidate, paths.deviceFolder),
      successSeenBy: input.runId,
    });
  }
  // No device, and no answer is missing: the request was refused, or it was not sent.
  if (!unanswered && (candidate.answered || response?.status === 'FAILURE')) {
    // Without it, the next run waits longer before it calls the name taken. A failing disk is found elsewhere.
    await storeAnswered(dependencies, credentials, nameIndex, true).catch(() => {});
  }
  if (end.kind === 'refused') throw connackFailure(end.returnCode, provisioningServer(server), 'provision');
  if (end.kind === 'failed') throw end.failure;
  if (response?.status !== 'FAILURE') throw new Failure('PROVISION_KEY_REFUSED', 'notFound', { server: address });
  log.warn('request.failure', `${address} answered FAILURE for ${candidate.name}`, { deviceName: candidate.name });
  return { outcome: 'failure', issued: null, at: clock.now() };
}

/**
 * Adds the private key, which no server knows, to an answered certificate: the candidate's, or the one in the folder.
 * @throws Failure CLIENT_KEY_UNUSABLE
 */
async function withKey(
  answered: AnsweredCredentials,
  { credentials }: Candidate,
  deviceFolder: string,
): Promise<DeviceCredentials> {
  if (answered.type !== 'X509_CERTIFICATE') return answered;
  const { isKeyOf, readClientKey } = await import('../device/clientKey.ts');
  if (credentials.type === answered.type && isKeyOf(credentials.key, answered.certificate)) {
    return { ...answered, key: credentials.key };
  }
  return { ...answered, key: await readClientKey(deviceFolder, answered.certificate) };
}

function candidateOf(credentials: Credentials, nameIndex: number, path: string): Candidate {
  const candidate = credentials.candidates.find((known) => known.nameIndex === nameIndex);
  if (candidate !== undefined) return candidate;
  throw new Failure('CREDENTIALS_LOST', 'noName', { path, number: nameIndex });
}

/** The parsed answer, or ANSWER_INVALID: after an unexpected answer the device may exist. */
function readResponse(payload: Buffer): ProvisionResponse | Failure {
  try {
    return parseProvisionResponse(payload);
  } catch (error) {
    if (error instanceof Failure && error.code === 'ANSWER_INVALID') return error;
    throw error;
  }
}

function unknownOutcome({ clock, log }: EffectDependencies, failure: Failure): RequestOutput {
  log.warn('request.unknown', `The outcome of the request is unknown: ${failure.message}`, { code: failure.code });
  return { outcome: 'unknown', issued: null, failure: toFailureRecord(failure), at: clock.now() };
}

async function issuedOutcome(
  dependencies: EffectDependencies,
  credentials: Credentials,
  issued: IssuedCredentials,
): Promise<RequestOutput> {
  const { clock, log } = dependencies;
  try {
    await storeIssued(dependencies, credentials, issued);
  } catch (error) {
    // The generated credentials are on disk: `reconcile` finds the device with it and stores the credentials again.
    return unknownOutcome(dependencies, toFailure(error));
  }
  const isOwn = credentials.candidates.some(({ credentials: own }) => areEqual(own, issued.credentials));
  log.info('request.granted', `The server registered ${issued.deviceName}`, {
    deviceName: issued.deviceName,
    token: fingerprintOf(issued.credentials),
    tokenFrom: isOwn ? 'device' : 'server',
  });
  return { outcome: 'granted', issued: issuedSummary(issued, issued.successSeenBy), at: clock.now() };
}
