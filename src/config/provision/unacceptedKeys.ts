/** Keys that ask for something the agent would not do. An error before the first request can still be corrected. */
export interface UnacceptedKeys {
  /** Tested with the words of a key, see `wordsOf`. */
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly expected: string;
  /** Also an error inside an object that is not a section: clear text and a wrong name can't be taken back. */
  readonly deep?: true;
  /** The value is a secret. */
  readonly secret?: true;
  /** Keys of this kind, also found when all words are written together. The documentation lists them. */
  readonly examples: readonly string[];
}

/** A key gets the first entry that matches. */
export const UNACCEPTED_KEYS: readonly UnacceptedKeys[] = [
  {
    pattern: /verify|insecure|unauthorized|self_?signed|trust_?(all|any)/,
    expected: "no such key: the server's certificate is always verified",
    deep: true,
    examples: [
      'insecure',
      'verify',
      'tls_insecure',
      'skip_verify',
      'reject_unauthorized',
      'allow_self_signed',
      'trust_all',
    ],
  },
  {
    pattern:
      /(client|device|private)_?(cert|crt|key_?(file|path|pem)|certificate)|private_?key|mtls|mutual|key_?(store|path)|x509|p12|pfx|pkcs|pass_?phrase/,
    expected: 'device.credentials, "x509": the agent makes its own',
    deep: true,
    secret: true,
    examples: [
      'client_cert',
      'client_certificate',
      'client_key_file',
      'private_key',
      'device_cert',
      'keystore',
      'passphrase',
      'mtls',
    ],
  },
  {
    pattern:
      /(^|_)(ca|certs?|crt|pem)(_|$)|ca_?cert|certificate|cert_?file|key_?file|(^|_)(ca|cert)_?path|trust_?store/,
    expected: "provisioning.ca_file for the server's CA, device.credentials for a client certificate",
    deep: true,
    examples: ['cert', 'certificate', 'cert_file', 'key_file', 'ca_path', 'server_cert', 'truststore', 'mqtt_ca'],
  },
  {
    pattern:
      /tls|mqtts|(^|_)ssl|ssl(_|$)|encrypt|plain_?text|clear_?text|cipher|(^|_)secured?(_|$)|(^|_)(security|https|wss)$/,
    expected: 'provisioning.use_ssl, true or false',
    deep: true,
    examples: [
      'tls_version',
      'tls_port',
      'require_tls',
      'mqtt_over_tls',
      'ssl_mode',
      'secure_port',
      'ciphers',
      'encrypted',
      'security',
      'plaintext',
    ],
  },
  {
    pattern: /^(mqtt_|server_)?(scheme|protocol|transport)$/,
    expected: 'provisioning.use_ssl, true for MQTT over TLS',
    examples: ['scheme', 'protocol', 'transport'],
  },
  {
    pattern: /name_?prefix|(device|camera|thing)_?prefix/,
    expected: 'provisioning.device_name_prefix',
    deep: true,
    examples: ['camera_name_prefix', 'camera_prefix'],
  },
  {
    pattern: /(^|_)name_(from|by)(_|$)|(^|_)use_(mac|serial|hostname)(_|$)/,
    expected: 'device.name_source, for example "mac"',
    deep: true,
    examples: ['name_from_mac', 'use_mac'],
  },
  {
    pattern: /(^|_)(dev|device|camera|thing|sensor)_?(name|id)(_|$)|(^|_)name_of_/,
    expected: 'device.name',
    deep: true,
    examples: ['device_id', 'camera_name', 'thing_name', 'thermal_camera_name', 'device_name_pattern'],
  },
  {
    pattern:
      /(^|_)((access|device|auth|bearer)_?)?token$|^jwt$|^(mqtt_|thingsboard_|device_|server_)?(user_?name|pass_?word|client_?id)$/,
    expected: 'no such key: the agent generates its own MQTT credentials',
    secret: true,
    examples: ['token', 'access_token', 'device_token', 'user_name', 'password', 'mqtt_password', 'client_id'],
  },
  {
    pattern: /board_?secret/,
    expected: 'provisioning.board_secret_file, the path of a file',
    secret: true,
    examples: ['board_secret', 'board_secret_path'],
  },
  {
    pattern: /secret/,
    expected: 'provisioning.device_secret',
    secret: true,
    examples: ['profile_secret', 'client_secret', 'secret_key'],
  },
  {
    pattern: /(provision|provisioning|device|profile)_?key/,
    expected: 'provisioning.device_key',
    secret: true,
    examples: ['profile_key', 'provisioning_profile_key'],
  },
  {
    pattern:
      /^(mqtt|tb|thingsboard|server|broker|provision|provisioning)_?(host|host_?name|url|uri|server|address|ip|endpoint|broker)$|^(broker|endpoint|uri|fqdn)$/,
    expected: 'provisioning.host',
    examples: ['broker', 'endpoint', 'mqtt_url', 'thingsboard_url', 'mqtt_broker', 'server_address'],
  },
  {
    pattern: /^(tb|thingsboard|broker)_?port$/,
    expected: 'provisioning.port',
    examples: ['broker_port', 'thingsboard_port'],
  },
  {
    pattern:
      /(^|_)(proxy|socks5?)_?(host|host_?name|server|address|ip|port|user|user_?name|pass|pass_?word|login|type)$/,
    expected: 'provisioning.proxy, one URL with everything',
    secret: true,
    examples: ['proxy_host', 'proxy_port', 'proxy_user', 'proxy_password', 'socks_host'],
  },
  {
    pattern: /time_?out/,
    expected: 'provisioning.timeout_seconds, in seconds',
    examples: ['timeout_ms', 'connect_timeout', 'timeout_millis'],
  },
  {
    pattern: /^(max_|num_)?(retry|attempts|tries|retry_attempts)$/,
    expected: 'provisioning.max_retries, without the first attempt',
    examples: ['retry', 'attempts', 'max_attempts', 'retry_attempts'],
  },
  {
    pattern: /^provision$/,
    expected: 'the section provisioning',
    examples: ['provision'],
  },
];
