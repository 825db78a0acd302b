import { type Command, InvalidArgumentError, Option } from 'commander';
import { addFolderOptions } from '../options.ts';
import { exitSoon } from '../stopSignal.ts';
import type { InitArguments } from './initFolder.ts';

const NOTES = `
On a terminal "init" asks for what the options leave out. Without a terminal it asks nothing: host, key, secret, and
--tls or --no-tls are required, and provision.txt is created at once unless --no-trigger or a failed --check forbids it.
Key and secret come from files or from the variables of "run" (THERMAL_DEVICE_KEY_FILE and so on), never from an
argument, which every user of the machine could read.

Exit status: 0 done; 64 an option is missing, or provision.json exists; 65 a value is wrong; 75 given up, or a run is
unfinished; with --check the status of doctor.
`;

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number.');
}

/** `init`: writes provision.json, and provision.txt last. */
export function registerInit(program: Command): void {
  addFolderOptions(program.command('init'))
    .description('write provision.json, and provision.txt last')
    .option('--host <host>', 'name or address of the MQTT server')
    .addOption(
      new Option('--port <port>', 'port of the MQTT server (default: 8883 with TLS, else 1883)').argParser(parsePort),
    )
    .option('--tls', 'connect with TLS')
    .option('--no-tls', 'connect in clear text')
    .option('--ca-file <file>', "PEM file of the server's authority, relative to the device folder")
    .option('--key-file <file>', 'file with the provisioning key')
    .option('--secret-file <file>', 'file with the provisioning secret')
    .option('--name <name>', 'name of the device (default: random)')
    .option('--name-source <source>', 'part of the name: random, mac, serial, machine-id, hostname, command:PATH')
    .option('--credentials <type>', 'how the device logs in: access_token, mqtt_basic, x509 (default: access_token)')
    .option('--scrub', 'remove the secret from provision.json after a success')
    .option('--force', 'replace provision.json and keep the old file under another name')
    .option('--check', 'start doctor, and create provision.txt only if it finds no problem')
    .option('--no-check', 'do not offer doctor')
    .option('--no-trigger', 'do not create provision.txt')
    .option('--print', 'print provision.json, with the secret, and write nothing')
    .addHelpText('after', NOTES)
    .action(async (options: InitArguments) => {
      const { initFolder } = await import('../parts/diagnosis.ts');
      process.exitCode = await initFolder(options);
      exitSoon();
    });
}
