/** What differs between releases of ThingsBoard, as recorded on real servers (docs/compatibility.md). */

export interface Release {
  /** The provisioning session answers SUBSCRIBE and UNSUBSCRIBE, and keeps to the QoS of the subscription. */
  readonly provisionSubscriptions: boolean;
  /** A device may subscribe to `/provision/response`, to no effect. */
  readonly provisionFilterForDevices: boolean;
  /** CHECK_PRE_PROVISIONED_DEVICES answers SUCCESS to a device that is already provisioned. */
  readonly reprovision: boolean;
  /** A client certificate of no device is refused by CONNACK, not in the TLS handshake. */
  readonly certificatesAtConnect: boolean;
  /** A device name may look like a template, `{{x}}`. */
  readonly templatesInNames: boolean;
  /** Milliseconds of silence after a provisioning request when the back end fails. */
  readonly backEndTimeoutMs: number;
}

export const RELEASES = {
  '4.3': {
    provisionSubscriptions: true,
    provisionFilterForDevices: false,
    reprovision: false,
    certificatesAtConnect: true,
    templatesInNames: false,
    backEndTimeoutMs: 19_800,
  },
  '3.8': {
    provisionSubscriptions: false,
    provisionFilterForDevices: true,
    reprovision: true,
    certificatesAtConnect: true,
    templatesInNames: true,
    backEndTimeoutMs: 11_600,
  },
} as const satisfies Record<string, Release>;

export type ReleaseName = keyof typeof RELEASES;

export const RELEASE_NAMES = ['4.3', '3.8'] as const satisfies readonly ReleaseName[];
