import { expect, it } from 'vitest';
import { meaningInside, meaningOf } from '../../../src/config/provision/keyMeaning.ts';
import { SETTINGS } from '../../../src/config/provision/provisionSettings.ts';

/** What is written instead, and keys that ask for it: at any border of words, and without borders. */
const REFUSED: readonly [expected: string, keys: string][] = [
  ['no such key: the server', 'selfsigned allow_self_signed trustall trust_any trustany verify_host tlsinsecure'],
  ['device.credentials, "x509"', 'clientcrt devicecertificate devicekeyfile my_privatekey keypath pkcs12'],
  ["provisioning.ca_file for the server's CA", 'pem crt_path mycacert servercertfile mykeyfile certpath trust_store'],
  ["provisioning.ca_file for the server's CA", 'mqttca servercert'],
  ['provisioning.use_ssl, true or false', 'sslcontext openssl cleartext plain_text secured_port mqtt_secured wss'],
  ['provisioning.use_ssl, true or false', 'secureport tls_info_level'],
  ['provisioning.use_ssl, true for', 'scheme protocol transport mqtt_protocol server_scheme'],
  ['provisioning.device_name_prefix', 'thermalnameprefix thingprefix camera_prefix'],
  ['device.name_source', 'name_by_serial name_from use_mac_address namefrommac usemac'],
  ['device.name', 'sensorname cameraid name_of_camera thermalcameraname devicenamepattern'],
  [
    'no such key: the agent',
    'token session_token authtoken bearertoken jwt mqtt_username server_password mqtt_clientid',
  ],
  ['no such key: the agent', 'password client_id user_name mqttpassword'],
  ['provisioning.device_secret', 'secret_key clientsecret'],
  ['provisioning.board_secret_file', 'board_secret boardsecretpath myBoardSecret'],
  ['provisioning.device_key', 'thermaldevicekey profilekey'],
  ['provisioning.host', 'tbhost server_ip mqttbroker mqtt_hostname thingsboard_hostname broker fqdn'],
  ['provisioning.port', 'tbport broker_port'],
  ['provisioning.timeout_seconds', 'read_timeout connect_time_out'],
  ['provisioning.max_retries', 'tries max_attempts num_retry retry maxattempts'],
  ['the section provisioning', 'provision'],
];

it.each(REFUSED)('%s… is written instead of: %s', (expected, keys) => {
  for (const key of keys.split(' ')) {
    const means = { kind: 'unaccepted', expected: expect.stringContaining(expected) };
    expect(meaningOf('provisioning', key), key).toMatchObject(means);
  }
});

it('a key that only resembles one of them is a warning, not an error', () => {
  const keys = `security_level modbus_protocol protocol_version token_lifetime my_jwt jwt_ttl client_id_suffix
    password_length backup_server_url server_address_book local_broker my_broker_port tb_port_range dns_retry retry_policy my_provision
    provision_date`;
  for (const key of keys.split(/\s+/)) expect(meaningOf('provisioning', key), key).toEqual({ kind: 'unknown' });
});

it('the value of a key that holds a secret is never shown', () => {
  for (const key of ['client_key_file', 'access_token', 'profile_secret', 'profile_key', 'provisioning_kye']) {
    expect(meaningOf('device', key), key).toMatchObject({ isSecret: true });
  }
  expect(meaningOf('device', 'tls_version')).toMatchObject({ isSecret: false });
});

it('inside an object that is not a section, only encryption, trust and names are an error', () => {
  const deep = [
    'trust_all',
    'client_cert',
    'pkcs12',
    'cert',
    'tls_version',
    'camera_prefix',
    'use_mac',
    'device_id',
    'use_ssl',
  ];
  for (const key of deep) expect(meaningInside(['mqtt', 'options', key]), key).toBeDefined();
  // The setting itself is named, not the kind of key that its words resemble.
  expect(meaningInside(['mqtt', 'options', 'use_ssl'])).toBe('provisioning.use_ssl');
  const others = ['scheme', 'token', 'profile_secret', 'profile_key', 'mqtt_url', 'tb_port', 'timeout_ms', 'retry'];
  for (const key of others) expect(meaningInside(['mqtt', 'options', key]), key).toBeUndefined();
});

it('a key that ends like a comment is one', () => {
  for (const end of ['comment', 'note', 'docs', 'doc', 'remark', 'remarks', 'help', 'info', 'example']) {
    expect(meaningOf('provisioning', `use_tls_${end}`), end).toEqual({ kind: 'unknown' });
  }
});

it.each([
  ['port', 'mqtt_port'],
  ['maxRetries', 'retries max_retry retry_count number_of_retries'],
  ['nameSource', 'device_name_source name_source'],
  ['type', 'device_type type'],
  ['profile', 'device_profile device_profile_name profile profile_name'],
  ['credentials', 'device_credentials credentials_type'],
  ['namePrefix', 'device_name_prefix name_prefix'],
  ['timeoutSeconds', 'timeout_seconds'],
] as const)('the setting %s is also taken from: %s', (name, keys) => {
  for (const key of keys.split(' ')) {
    expect(meaningOf('provisioning', key), key).toMatchObject({ kind: 'setting', setting: SETTINGS[name] });
  }
});

it('the flat form has its own spellings, which need no note', () => {
  for (const key of ['timeout_seconds', 'device_name_prefix', 'server_url', 'use_ssl']) {
    expect(meaningOf('', key), key).toMatchObject({ kind: 'setting', documented: true });
  }
});
