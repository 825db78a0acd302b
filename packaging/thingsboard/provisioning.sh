# Device profiles, devices and provision.json, for setup-profile.sh.
# shellcheck shell=sh

readonly MAX_PAGES=1000
readonly ALLOW=ALLOW_CREATE_NEW_DEVICES CHECK=CHECK_PRE_PROVISIONED_DEVICES

# Sets $profile and its fields from the server's answer.
read_profile() {
  read_fields '(.provisionType // "DISABLED"), (.transportType // ""), (.provisionDeviceKey // ""),
    (.profileData.provisionConfiguration.provisionDeviceSecret // ""), id'
  profile=$body
  next_field && profile_strategy=$field
  next_field && profile_transport=$field
  next_field && profile_key=$field
  next_field && profile_secret=$field
  next_field && profile_id=$field
}

# Looks for the device profile with this name. Without one, $profile is empty. $1: name
find_profile() {
  profile='' page=0
  query=$(encoded "$1")
  while [ "$page" -lt "$MAX_PAGES" ]; do
    # The search is for a part of the name, in upper and lower case.
    call GET "/api/deviceProfileInfos?pageSize=100&page=$page&textSearch=$query"
    require_success "show the device profiles"
    # shellcheck disable=SC2016 # the variable is jq's
    read_fields '([.data[] | select(.name == $name) | id][0] // ""), .hasNext' --arg name "$1"
    next_field
    if [ -n "$field" ]; then
      call GET "/api/deviceProfile/$field"
      require_success "show the device profile $1"
      read_profile
      return 0
    fi
    [ "$fields" = true ] || return 0
    page=$((page + 1))
  done
}

# Looks for the device $name and sets its fields. Without one, $device_id is empty.
find_device() {
  device_id=''
  call GET "/api/tenant/devices?deviceName=$(encoded "$name")"
  # The page of another program answers 404 without a reason.
  [ "$status" != 404 ] || [ -z "$(refusal)" ] || return 0
  require_success "show the device $name"
  read_fields 'id, .deviceProfileId.id, (.type // "" | shown[1:-1]), (.createdTime / 1000 | floor | todate)'
  next_field && device_id=$field
  next_field && device_profile_id=$field
  next_field && device_profile=$field
  next_field && device_created=$field
}

new_secret() {
  text=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  [ "${#text}" -eq 32 ] || die "$FAILED" "/dev/urandom gave no random bytes"
  printf '%s' "$text"
}

create_profile() {
  require_no_output "The device profile"
  [ -n "$key" ] || key=$(new_secret)
  [ -n "$secret" ] || secret=$(new_secret)
  request=$(printf '%s\n%s' "$key" "$secret" | jq -Rsr --arg name "$name" --arg strategy "${strategy:-$ALLOW}" '
    split("\n") as [$key, $secret] | {
      $name,
      type: "DEFAULT",
      transportType: "DEFAULT",
      provisionType: $strategy,
      provisionDeviceKey: $key,
      profileData: {
        configuration: {type: "DEFAULT"},
        transportConfiguration: {type: "DEFAULT"},
        provisionConfiguration: {type: $strategy, provisionDeviceSecret: $secret}
      }
    } | tojson | tojson')
  call POST /api/deviceProfile "$request"
  require_success "create the device profile $name"
  read_profile
  note "Created the device profile $name on $server: strategy $profile_strategy."
}

# Nothing is changed, so the existing profile must be what the options ask for.
check_existing() {
  note "The device profile $name exists on $server: strategy $profile_strategy."
  [ -z "$strategy" ] || [ "$strategy" = "$profile_strategy" ] || die "$FAILED" "The device profile $name does not have \
the strategy $strategy. Change it on the web page of ThingsBoard, or use another name."
  [ -z "$key" ] || [ "$key" = "$profile_key" ] || die "$FAILED" "The device profile $name has another key than \
--key-file. Leave the option out, or use another name."
  [ -z "$secret" ] || [ "$secret" = "$profile_secret" ] || die "$FAILED" "The device profile $name has another secret \
than --secret-file. Leave the option out, or use another name."
}

# Ends the script if cameras can't be provisioned with the profile. $1: its name
check_usable() {
  case $profile_strategy in
    "$ALLOW" | "$CHECK") ;;
    *) die "$FAILED" "The device profile $1 does not allow provisioning by key and secret. Set its provision strategy \
on the web page of ThingsBoard, or use another name." ;;
  esac
  if [ -z "$profile_key" ] || [ -z "$profile_secret" ]; then
    die "$FAILED" "The device profile $1 has no provisioning key or secret. Set them on the web page of ThingsBoard, \
or use another name."
  fi
  case $profile_transport in
    DEFAULT | MQTT) ;;
    *) die "$FAILED" "The device profile $1 does not accept MQTT. Set its transport type to Default on the web page of \
ThingsBoard, or use another name." ;;
  esac
}

# $1: the device's name, or nothing
provision_json() {
  printf '%s' "$profile" | jq --arg host "$mqtt_host" --argjson port "$mqtt_port" --arg tls "$mqtt_tls" \
    --arg device "$1" '{
      provisioning: ({
        device_key: .provisionDeviceKey,
        device_secret: .profileData.provisionConfiguration.provisionDeviceSecret,
        $host,
        $port
      } + if $tls == "" then {} else {use_ssl: ($tls == "true")} end)
    } + if $device == "" then {} else {device: {name: $device}} end'
}

# Prints or writes provision.json. $1: the device's name, or nothing
deliver() {
  [ -n "$mqtt" ] || return 0
  document=$(provision_json "$1")
  if [ -z "$output" ]; then
    printf '%s\n' "$document"
  elif [ -e "$output" ]; then
    [ "$(jq -S . -- "$output" 2>/dev/null)" = "$(printf '%s' "$document" | jq -S .)" ] ||
      die "$FAILED" "$output exists and says something else. Move it away, or give another --output."
    chmod 600 -- "$output"
    note "$output is up to date."
  else
    # With noclobber the shell creates the file, or fails if another program was faster.
    (set -C && : >"$output") || die "$FAILED" "$output could not be created"
    printf '%s\n' "$document" >"$output" || {
      rm -f -- "$output"
      die "$FAILED" "$output could not be written"
    }
    note "Wrote $output with key and secret (mode 0600)."
  fi
}

profile_command() {
  find_profile "$name"
  if [ -n "$profile" ]; then check_existing; else create_profile; fi
  check_usable "$name"
  [ -z "$mqtt" ] || [ "$profile_strategy" = "$ALLOW" ] || note "A camera of this profile also needs the name of its \
device in provision.json: create-device writes it."
  deliver ''
}

create_device_command() {
  find_profile "$profile_name"
  [ -n "$profile" ] || die "$FAILED" "$server has no device profile $profile_name. Create it: setup-profile.sh profile \
$profile_name --strategy check"
  check_usable "$profile_name"
  [ "$profile_strategy" = "$CHECK" ] || die "$FAILED" "Cameras of the device profile $profile_name create their \
devices themselves. A device that exists beforehand is refused. Use a profile with --strategy check."
  find_device
  if [ -n "$device_id" ]; then
    [ "$device_profile_id" = "$profile_id" ] || die "$FAILED" "The device $name exists on $server in another profile: \
$device_profile."
    note "The device $name exists on $server."
  else
    require_no_output "The device"
    call POST /api/device "$(jq -nr --arg name "$name" --arg id "$profile_id" \
      '{$name, deviceProfileId: {entityType: "DEVICE_PROFILE", $id}} | tojson | tojson')"
    require_success "create the device $name"
    note "Created the device $name on $server."
  fi
  deliver "$name"
}

require_device() {
  find_device
  [ -n "$device_id" ] || die "$FAILED" "$server has no device $name. Upper and lower case count. \"thermal-provision \
status\" on the camera shows the name of its device."
}

# Sets $fields: what jq finds in the attributes of the device. $1: scope, $2: filter
read_attributes() {
  call GET "/api/plugins/telemetry/DEVICE/$device_id/values/attributes/$1_SCOPE"
  require_success "show the attributes of $name"
  read_fields "require(type == \"array\") | $2"
}

show_device_command() {
  require_device
  printf 'device   %s\nprofile  %s\ncreated  %s\n' "$name" "$device_profile" "$device_created"
  for scope in SERVER SHARED CLIENT; do
    # Times are milliseconds since 1970.
    read_attributes "$scope" 'def time: .value | select(type == "number" and . > 1e12) / 1000 | floor | "  (\(todate))";
      if . == [] then "  none" else sort_by(.key)[] | "  \(.key | shown[1:-1]): \(.value | shown)\(time // "")" end'
    printf '%s attributes:\n%s\n' "$(printf '%s' "$scope" | tr '[:upper:]' '[:lower:]')" "$fields"
  done
}

# Whether the device has the attribute provisionState.
has_state() {
  read_attributes SERVER 'any(.[]; .key == "provisionState")'
  [ "$fields" = true ]
}

allow_again_command() {
  require_device
  if has_state; then
    call DELETE "/api/plugins/telemetry/DEVICE/$device_id/SERVER_SCOPE?keys=provisionState"
    require_success "delete provisionState of $name"
    ! has_state || die "$FAILED" "$server still has provisionState of $name. Look at the attributes of the device on \
the web page of ThingsBoard."
    note "Deleted provisionState: the device $name can be provisioned again."
  else
    note "The device $name has no provisionState: there is nothing to delete."
  fi
}
