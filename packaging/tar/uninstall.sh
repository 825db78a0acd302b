#!/bin/sh
# Removes what install.sh has copied, as root. The camera's folder and its user stay: the folder may hold the only copy
# of a device's token. To run it: /usr/lib/thermal-provision/uninstall.sh [FOLDER OF THE SYSTEM]
set -eu

from=${1:-}

# Files come first in this list, then their folders. The list is one of the files, and stays readable until the end.
while IFS= read -r path; do
	case $path in
	*/) rmdir "$from/$path" 2>/dev/null || true ;;
	*) rm -f "$from/$path" ;;
	esac
done <"$from/usr/lib/thermal-provision/files"
