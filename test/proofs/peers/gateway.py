"""ThingsBoard's IoT Gateway against a server: its own provisioning, then a connection with the new credentials.

Arguments: host, port, provisioning key, provisioning secret, device name, credentials type. Prints one JSON document.
"""

import json
import logging
import os
import sys
import tempfile
import time

from thingsboard_gateway.gateway.tb_client import TBClient

WAIT_S = 15


def main(host, port, key, secret, name, credentials_type):
    config = {
        "host": host,
        "port": port,
        "provisioning": {
            "type": credentials_type,
            "provisionDeviceKey": key,
            "provisionDeviceSecret": secret,
            "deviceName": name,
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        # The gateway appends file names to this text.
        client = TBClient(config, folder + os.sep, logging.getLogger("gateway"))
        client.connect(timeout=WAIT_S)
        end = time.monotonic() + WAIT_S
        while not client.is_connected() and time.monotonic() < end:
            time.sleep(0.1)
        print(json.dumps({"connected": client.is_connected()}), flush=True)
        client.disconnect()
    # The gateway's threads do not end by themselves.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:7])
