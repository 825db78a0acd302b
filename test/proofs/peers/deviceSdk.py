"""ThingsBoard's Python SDK against a server: provisioning, then telemetry and attributes as the new device.

Arguments: host, port, provisioning key, provisioning secret, device name. Prints one JSON document.
"""

import json
import sys
import threading

from tb_device_mqtt import TBDeviceMqttClient

WAIT_S = 15


def main(host, port, key, secret, name):
    answer = TBDeviceMqttClient.provision(host, key, secret, port=port, device_name=name)
    if answer is None or answer.get("status") != "SUCCESS":
        sys.exit(f"provisioning failed: {answer}")
    # The SDK's device session speaks MQTT 5 unless told otherwise.
    client = TBDeviceMqttClient(host, port=port, username=answer["credentialsValue"])
    client.connect(timeout=WAIT_S)
    telemetry = client.send_telemetry({"temperature": 21.5}).get()
    client.send_attributes({"firmware": "1.0"}).get()
    received = {}
    done = threading.Event()

    def on_attributes(result, _exception):
        received.update(result or {})
        done.set()

    client.request_attributes(client_keys=["firmware"], callback=on_attributes)
    done.wait(WAIT_S)
    client.disconnect()
    print(json.dumps({"type": answer["credentialsType"], "telemetry": int(telemetry), "attributes": received}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:6])
