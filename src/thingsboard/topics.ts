/** User name and topics of ThingsBoard's MQTT API. The provisioning topics start with a slash. */
export const PROVISION_USER = 'provision';
export const PROVISION_REQUEST_TOPIC = '/provision/request';
export const PROVISION_RESPONSE_TOPIC = '/provision/response';

export const ATTRIBUTES_TOPIC = 'v1/devices/me/attributes';
export const ATTRIBUTES_REQUEST_TOPIC = 'v1/devices/me/attributes/request/1';
export const ATTRIBUTES_RESPONSE_TOPIC = 'v1/devices/me/attributes/response/1';
export const TELEMETRY_TOPIC = 'v1/devices/me/telemetry';

/** The server's requests to the device. Each topic ends with the number of the request. */
export const RPC_REQUEST_TOPIC = 'v1/devices/me/rpc/request/';
export const RPC_REQUEST_FILTER = `${RPC_REQUEST_TOPIC}+`;
export const RPC_RESPONSE_TOPIC = 'v1/devices/me/rpc/response/';
