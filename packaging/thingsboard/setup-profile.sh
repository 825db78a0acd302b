#!/bin/sh
# Prepares a ThingsBoard for cameras over its REST interface; --help has the commands.
#
# Every user of a machine can read the arguments of its programs. So secrets stay in variables of this shell and in
# pipes: printf is a part of the shell, and curl reads the request with its token from standard input.
set -eu
umask 077
export LC_ALL=C

# The agent's exit statuses (docs/commands.md).
readonly FAILED=1 USAGE=64 UNAVAILABLE=69 NOPERM=77
readonly MAX_NAME=255

here=$(dirname -- "$(readlink -f -- "$0")")
# shellcheck source=packaging/thingsboard/rest.sh
. "$here/rest.sh"
# shellcheck source=packaging/thingsboard/provisioning.sh
. "$here/provisioning.sh"

usage() {
  cat <<'END'
Usage: setup-profile.sh COMMAND NAME [OPTIONS]

Prepares a ThingsBoard for cameras. Needs curl and jq.

Commands:
  profile NAME        create the device profile NAME, unless it exists
  create-device NAME  create a device before its camera asks for it (strategy check)
  show-device NAME    show a device with its attributes
  allow-again NAME    delete provisionState, so that a pre-provisioned device can be provisioned again

The server and its tenant administrator:
  --server URL          web address, for example http://tb.example.com:8080 (THINGSBOARD_URL)
  --user NAME           the tenant administrator (THINGSBOARD_USER)
  --password-file FILE  file with the password; otherwise the variable THINGSBOARD_PASSWORD, otherwise a question
  --ca FILE             certificate authority of an https address (PEM)

Options of profile:
  --strategy allow|check  allow: cameras create their devices (default); check: only devices that exist beforehand
  --key-file FILE         file with the provisioning key; default: a random key
  --secret-file FILE      file with the provisioning secret; default: a random secret

Option of create-device:
  --profile NAME        the device profile of the device

Options of profile and create-device:
  --mqtt HOST:PORT      print a provision.json for this MQTT service; mqtts://HOST:PORT: with TLS, whatever the port
  --output FILE         write it to this new file with mode 0600 instead

Nothing that exists is changed: the same command again shows the existing profile or device.
Exit status: 0 success, 1 refused or not found, 64 wrong use, 69 server not reached, 77 password or permission.
END
}

note() {
  printf '%s\n' "$1" >&2
}

# $1: exit status, $2: what happened and what to do
die() {
  note "setup-profile.sh: $2"
  exit "$1"
}

wrong_use() {
  die "$USAGE" "$1 (--help shows the options)"
}

# $1: option, $2: file
require_readable() {
  if [ ! -f "$2" ] || [ ! -r "$2" ]; then wrong_use "$1: $2 can't be read"; fi
}

# Sets $given: the text of a file with a secret. $1: option, $2: file
read_secret() {
  require_readable "$1" "$2"
  given=$(cat -- "$2")
  [ -n "$given" ] || wrong_use "$1: $2 is empty"
  [ "${#given}" -le "$MAX_NAME" ] || wrong_use "$1: $2 holds more than $MAX_NAME characters"
  case $given in
    *[[:cntrl:]]*) wrong_use "$1: $2 holds several lines or control characters" ;;
  esac
}

check_server() {
  [ -n "$server" ] || wrong_use "--server URL is missing"
  case $server in
    *@*) wrong_use "--server has no user name and no password: use --user and --password-file" ;;
    http://?* | https://?*) ;;
    *) wrong_use "--server $server is not http://HOST:PORT or https://HOST" ;;
  esac
  case $server in
    *[!A-Za-z0-9._~:/%\[\]-]*) wrong_use "--server $server holds a character that an address does not have" ;;
  esac
  while [ "${server%/}" != "$server" ]; do server=${server%/}; done
  case $server in
    https://* | http://127.* | http://localhost | http://localhost[:/]* | 'http://[::1]'*) ;;
    *) note "Warning: $server has no TLS. Everyone on the way can read the password." ;;
  esac
}

# Sets $mqtt_host, $mqtt_port and $mqtt_tls (true, false, or empty: the port decides).
check_mqtt() {
  case $mqtt in
    mqtts://*) mqtt_tls=true mqtt_port=8883 ;;
    mqtt://*) mqtt_tls=false mqtt_port=1883 ;;
    *://*) wrong_use "--mqtt $mqtt is not HOST:PORT" ;;
    *) mqtt_tls='' mqtt_port=1883 ;;
  esac
  mqtt_host=${mqtt#"mqtt://"}
  mqtt_host=${mqtt_host#"mqtts://"}
  mqtt_host=${mqtt_host%/}
  case $mqtt_host in
    \[*\]:*)
      mqtt_port=${mqtt_host##*\]:}
      mqtt_host=${mqtt_host%:*}
      ;;
    \[*\] | *:*:*) ;;
    *:*)
      mqtt_port=${mqtt_host##*:}
      mqtt_host=${mqtt_host%:*}
      ;;
  esac
  mqtt_host=${mqtt_host#\[}
  mqtt_host=${mqtt_host%\]}
  case $mqtt_host in
    '' | *[!A-Za-z0-9._:-]*) wrong_use "--mqtt $mqtt is not HOST:PORT" ;;
  esac
  case $mqtt_port in
    '' | 0* | *[!0-9]* | ??????*) wrong_use "--mqtt $mqtt has no port from 1 to 65535" ;;
  esac
  [ "$mqtt_port" -le 65535 ] || wrong_use "--mqtt $mqtt has no port from 1 to 65535"
}

check_output() {
  [ -z "$output" ] || [ -n "$mqtt" ] || wrong_use "--output needs --mqtt HOST:PORT"
  [ -n "$output" ] || return 0
  folder=$(dirname -- "$output")
  if [ ! -d "$folder" ] || [ ! -w "$folder" ]; then
    wrong_use "--output: the folder $folder does not exist or is read-only"
  fi
  [ ! -d "$output" ] || wrong_use "--output $output is a folder"
}

# A new key does not fit to a file that exists. $1: what would be created
require_no_output() {
  [ -z "$output" ] || [ ! -e "$output" ] || die "$FAILED" "$output exists. Move it away, or give another --output. \
$1 was not created."
}

check_name() {
  [ -n "$name" ] || wrong_use "$command needs a name"
  [ "${#name}" -le "$MAX_NAME" ] || wrong_use "The name has more than $MAX_NAME characters"
  case $name in
    *[[:cntrl:]]*) wrong_use "The name holds several lines or control characters" ;;
  esac
}

server=${THINGSBOARD_URL-} user=${THINGSBOARD_USER-} password_file='' ca='' command='' name=''
strategy='' key='' secret='' profile_name='' mqtt='' output=''

while [ $# -gt 0 ]; do
  case $1 in
    --password | --password=*) wrong_use "A password is not an argument, because all users can read arguments: set \
THINGSBOARD_PASSWORD, or give --password-file FILE" ;;
    --*=*)
      argument=$1
      shift
      set -- "${argument%%=*}" "${argument#*=}" "$@"
      ;;
  esac
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --server | --user | --password-file | --ca | --strategy | --key-file | --secret-file | --profile | --mqtt | \
      --output)
      [ -n "${2-}" ] || wrong_use "$1 needs a value"
      case $1 in
        --server) server=$2 ;;
        --user) user=$2 ;;
        --password-file) password_file=$2 ;;
        --ca) ca=$2 ;;
        --strategy)
          case $2 in
            allow) strategy=$ALLOW ;;
            check) strategy=$CHECK ;;
            *) wrong_use "--strategy $2 is not allow or check" ;;
          esac
          ;;
        --key-file)
          read_secret "$1" "$2"
          key=$given
          ;;
        --secret-file)
          read_secret "$1" "$2"
          secret=$given
          ;;
        --profile) profile_name=$2 ;;
        --mqtt) mqtt=$2 ;;
        --output) output=$2 ;;
      esac
      shift 2
      ;;
    -?*) wrong_use "Unknown option ${1%%=*}" ;;
    *)
      if [ -z "$command" ]; then
        command=$1
      elif [ -z "$name" ]; then
        name=$1
      else
        wrong_use "One name too many: $1"
      fi
      shift
      ;;
  esac
done

case $command in
  '')
    usage >&2
    exit "$USAGE"
    ;;
  profile | create-device | show-device | allow-again) ;;
  *) wrong_use "Unknown command $command" ;;
esac
[ "$command" = profile ] || [ -z "$strategy$key$secret" ] || wrong_use "--strategy, --key-file and --secret-file are \
options of profile"
[ "$command" = create-device ] || [ -z "$profile_name" ] || wrong_use "--profile is an option of create-device"
case $command in
  profile | create-device) ;;
  *) [ -z "$mqtt$output" ] || wrong_use "--mqtt and --output are options of profile and create-device" ;;
esac
check_name
if [ "$command" = create-device ]; then
  [ -n "$profile_name" ] || wrong_use "create-device needs --profile NAME"
  # The agent accepts no other names (docs/files.md).
  case $name in
    *[!A-Za-z0-9_-]* | ?????????????????????????????????????????????????????????????????*)
      wrong_use "$name is not a name that a camera can have: 1 to 64 characters of A-Z, a-z, 0-9, _ and -"
      ;;
  esac
fi
for tool in curl jq; do
  command -v "$tool" >/dev/null || die "$UNAVAILABLE" "$tool is not installed. On Debian: apt install $tool"
done
check_server
[ -n "$user" ] || wrong_use "--user NAME is missing"
[ -z "$ca" ] || require_readable --ca "$ca"
[ -z "$mqtt" ] || check_mqtt
check_output
ask_password
log_in
case $command in
  profile) profile_command ;;
  create-device) create_device_command ;;
  show-device) show_device_command ;;
  allow-again) allow_again_command ;;
esac
