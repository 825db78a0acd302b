#!/bin/sh
# Copies the program into a system without dpkg, as root: ./install.sh [FOLDER OF THE SYSTEM]
set -eu
umask 022

to=${1:-}
from=$(dirname "$0")
remove=usr/lib/thermal-provision/uninstall.sh

# Files of an older version may have other names.
if [ -e "$to/$remove" ]; then
	sh "$to/$remove" "$to"
fi
cp -RPf "$from/usr" "$to/"
