import type { Command } from 'commander';
import type { SimulateArguments } from './simulatorOptions.ts';

const EXAMPLES = `
Examples:
  # A server that creates devices, without TLS:
  thermal-provision simulate --port 1883

  # The first answer is lost after the device was created; the registry is kept in a file:
  thermal-provision simulate --fault request#1=dropAnswerAndClose --registry-file devices.json

  # A device created beforehand, TLS with a new CA, which is written to ca.pem:
  thermal-provision simulate --port 8883 --tls --ca-out ca.pem \\
    --strategy CHECK_PRE_PROVISIONED_DEVICES --device thermal-camera-00A1F3
`;

const FAULTS = `
A fault is POINT[#N[+]]=ACTION[:VALUE]. #N: only the N-th time; #N+: from the N-th time on; without #N: every time.
The first --fault that applies counts. "Committed" means that the device exists or the data is stored.
Points connect, provisionConnect, deviceConnect:
  close                           close without CONNACK
  stallConnack[:MS]               CONNACK late or never
  refuse:CODE                     CONNACK 2, 3, 4 or 5, then close
  acceptThenClose[:MS]            CONNACK 0, then close
Points request, attributeRequest, telemetry, attributes:
  close                           nothing is committed; close without PUBACK
  silence                         nothing is committed; neither PUBACK nor answer
  silenceThenPubackAndClose[:MS]  the back end fails: nothing is committed; late PUBACK, then close
  dropAnswer                      committed; neither PUBACK nor answer
  dropAnswerAndClose              committed; close without PUBACK and answer
  pubackOnly                      committed; PUBACK, no answer
  delay:MS                        send PUBACK and answer late
  malformedAnswer                 send half of the answer
  answer:TEXT                     send TEXT instead of the answer
  duplicateAnswer                 send the answer twice
  answerOnOtherTopic[:TOPIC]      send the answer on another topic
  answerThenClose                 send the answer, then close at once
`;

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** `simulate`: ends with 0 on SIGINT or SIGTERM, 64 for a wrong option, 69 if the port is taken. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .summary('run a simulated ThingsBoard')
    .description('Runs a simulated ThingsBoard for trials and tests, until SIGINT or SIGTERM.')
    .option('-p, --port <port>', 'TCP port; 0: any free one', '1883')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--tls', 'speak TLS with a new CA and a certificate for localhost, 127.0.0.1 and ::1')
    .option('--cert <file>', 'speak TLS with this certificate chain (PEM); needs --key')
    .option('--key <file>', 'private key of --cert (PEM)')
    .option('--ca-out <file>', 'write the CA of --tls to this file (PEM)')
    .option('--device-key <key>', 'provisioning key of the device profile')
    .option('--device-secret <secret>', 'provisioning secret of the device profile')
    .option(
      '--strategy <name>',
      'ALLOW_CREATE_NEW_DEVICES, CHECK_PRE_PROVISIONED_DEVICES, X509_CERTIFICATE_CHAIN or DISABLED',
    )
    .option('--reprovision', 'answer SUCCESS again to a pre-provisioned device (as ThingsBoard before 4.2.1.1)')
    .option('--device <name[=token]>', 'a device created beforehand; may be repeated', collect, [])
    .option('--device-basic <name=client,user[,password]>', 'the same with MQTT_BASIC credentials', collect, [])
    .option('--device-cert <name=file>', 'the same with an X.509 certificate (PEM)', collect, [])
    .option('--device-limit <n>', 'limit of devices of the tenant')
    .option('--latency <ms>', 'delay of PUBACK and answers')
    .option('--commit-delay <ms>', 'time from a request to its commit, also if the client has gone')
    .option('--back-end-timeout <ms>', 'how long a failing back end is silent (default 19800; 11600 in release 3.8)')
    .option('--session-close <ms>', 'time from the answer to the close of the session (default 60000)')
    .option('--release <version>', 'ThingsBoard release to behave like: 4.3 or 3.8 (default 4.3)')
    .option('--rate-limit <n/s>', 'close connections of devices that send more than N messages in S seconds together')
    .option('--legacy-suback', 'no SUBACK while provisioning (as ThingsBoard before 3.9)')
    .option('--fault <fault>', 'a fault, see below; may be repeated', collect, [])
    .option('--registry-file <file>', 'keep devices and counts in this JSON file')
    .option('--rest-port <port>', "serve ThingsBoard's REST calls on this TCP port; 0: any free one")
    .option('-q, --quiet', 'print only the first line')
    .addHelpText('after', `${FAULTS}${EXAMPLES}`)
    .action(async (given: SimulateArguments) => {
      const { runSimulator } = await import('./runSimulator.ts');
      await runSimulator(given);
    });
}
