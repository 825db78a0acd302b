# Calls of ThingsBoard's REST interface (docs/thingsboard.md, section 7), for setup-profile.sh.
# shellcheck shell=sh

readonly MAX_BYTES=8388608
readonly LINE='
'
# shown: without control characters, because a device chooses its attributes, and a terminal obeys them.
# id: a part of an address.
readonly JQ_DEFINITIONS='
  def shown: [tojson | explode[] | if . >= 127 and . < 160 then 63 else . end] | implode;
  def require(wanted): if wanted then . else error end;
  def id: .id.id | require(test("^[0-9a-f-]+$"));'

# Sets $password, from file, environment or terminal.
ask_password() {
  if [ -n "$password_file" ]; then
    read_secret --password-file "$password_file"
    password=$given
  elif [ -n "${THINGSBOARD_PASSWORD-}" ]; then
    password=$THINGSBOARD_PASSWORD
  elif [ -t 0 ]; then
    printf 'Password of %s on %s: ' "$user" "$server" >&2
    terminal=$(stty -g)
    trap 'stty "$terminal"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    stty -echo
    IFS= read -r password || password=''
    stty "$terminal"
    trap - EXIT INT TERM
    printf '\n' >&2
    [ -n "$password" ] || wrong_use "No password was typed"
  else
    wrong_use "No password: set THINGSBOARD_PASSWORD, or give --password-file FILE"
  fi
  # The environment of curl and jq does not need the password.
  unset THINGSBOARD_PASSWORD
}

encoded() {
  jq -nr --arg text "$1" '$text | @uri'
}

# Sets $fields: what jq finds in the server's answer, one value a line. The last one must not be empty.
# An answer of another shape ends the script. $1: filter; further arguments are for jq
read_fields() {
  filter=$1
  shift
  fields=$(printf '%s' "$body" | jq -r "$@" "$JQ_DEFINITIONS $filter" 2>/dev/null) || not_thingsboard
}

# Sets $field: the next line of $fields.
next_field() {
  field=${fields%%"$LINE"*}
  fields=${fields#*"$LINE"}
}

not_thingsboard() {
  die "$FAILED" "$server does not answer like ThingsBoard (HTTP status $status). --server is the address of its web \
page, for example http://tb.example.com:8080, and not that of MQTT."
}

# $1: curl's exit status
not_reached() {
  why=$(printf '%s\n' "$answer" | sed -n 's/^curl: ([0-9]*) //p')
  case $1 in
    6) todo="Check the host name in --server." ;;
    7 | 28) todo="Check host and port in --server, that ThingsBoard runs, and firewalls on the way." ;;
    35 | 51 | 53 | 58 | 60 | 77) todo="Check that --server speaks https, and that --ca is the authority of its \
certificate." ;;
    *) todo="--server is the address of ThingsBoard's web page, for example http://tb.example.com:8080, and not that \
of MQTT." ;;
  esac
  die "$UNAVAILABLE" "No answer from $server: ${why:-curl ended with status $1}. $todo"
}

# Sends a request and sets $status and $body. $1: method, $2: path with query,
# $3: nothing, or JSON in the quotes of curl's configuration, which are those of JSON
call() {
  answer=$(
    {
      printf 'url = "%s%s"\nrequest = "%s"\n' "$server" "$2" "$1"
      [ -z "$token" ] || printf 'header = "X-Authorization: Bearer %s"\n' "$token"
      if [ -n "${3-}" ]; then
        printf 'header = "Content-Type: application/json"\ndata = %s\n' "$3"
      fi
    } | curl -q --config - --silent --show-error --globoff --proto '=http,https' ${ca:+--cacert "$ca"} \
      --connect-timeout 10 --max-time 30 --max-filesize "$MAX_BYTES" \
      --write-out '\n%{http_code} %{redirect_url}' 2>&1
  ) || not_reached "$?"
  status=${answer##*"$LINE"}
  body=${answer%"$LINE"*}
  redirect=${status#* }
  status=${status%% *}
}

# Prints the server's reason of a refusal, or nothing.
refusal() {
  printf '%s' "$body" | jq -r "$JQ_DEFINITIONS"' objects.message | strings | shown[1:-1]' 2>/dev/null || :
}

# Ends the script unless the call succeeded. $1: what was tried
require_success() {
  case $status in
    2??) return 0 ;;
    3??) die "$FAILED" "$server redirects to $redirect. Give the address that it redirects to as --server." ;;
  esac
  why=$(refusal)
  what="$server refused to $1 (HTTP status $status${why:+: $why})."
  case $status in
    401) die "$NOPERM" "$what Check --user and the password." ;;
    403) die "$NOPERM" "$what $user may not do this. Log in as tenant administrator, not as system administrator or \
user of a customer." ;;
    429) die "$UNAVAILABLE" "$what The server limits the number of calls. Wait a minute, then try again." ;;
    5??) die "$UNAVAILABLE" "$what ThingsBoard has a problem or is still starting. Try again later, and look into its \
log." ;;
  esac
  [ -n "$why" ] || not_thingsboard
  die "$FAILED" "$what"
}

# Sets $token, which all other calls carry.
log_in() {
  token=''
  # shellcheck disable=SC2016 # the variable is jq's
  login='{username: $user, password: .} | tojson | tojson'
  call POST /api/auth/login "$(printf '%s' "$password" | jq -Rsr --arg user "$user" "$login")"
  password=''
  require_success "log $user in"
  # The token becomes a line of curl's configuration.
  read_fields '(.scope // ""), (.token | require(test("^[A-Za-z0-9._-]+$")))'
  next_field
  # Only a token for the second step of a login has a scope.
  [ -z "$field" ] || die "$NOPERM" "$server asks $user for a second factor. Use a tenant administrator without \
two-factor authentication."
  token=$fields
}
