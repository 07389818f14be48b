#!/bin/bash
# The SR-IOV rig: two nested hosts whose virtual functions are really bound, unplugged and plugged; a nested guest runs on host 1.
#   rig.sh up          what is missing is made (minutes the first time); then both hosts come out of their snapshots, in seconds
#   rig.sh fresh       as up, and hosts that run are put back to the snapshot
#   rig.sh down        both hosts end; tree, image and snapshot stay
#   rig.sh purge       all of it is removed
#   rig.sh status      what runs; exit code 0 when both hosts answer
#   rig.sh at PORT 'COMMANDS'     as sh, by the port of a host's libvirt, with the commands' exit code
#   rig.sh sh N 'COMMANDS' | virsh N ARGUMENTS... | monitor N COMMAND     to look inside
. "$(dirname "$0")/settings.sh"
GUEST_LOG=/var/log/libvirt/guest.serial

need_root() { [ "$(id -u)" = 0 ] || fail "the rig mounts and changes its root, so it needs root"; }

# One at a time; the hosts that are started do not keep the lock.
lock() {
  mkdir -p "$LAB"
  chmod 700 "$LAB"
  exec 9> "$LAB/lock"
  flock -n 9 || fail "another command works on $LAB"
}

host() { "$HERE/host.sh" "$@"; }
snapshot_key() { { cat "$IMAGE/key" "$HERE/host.sh" "$HERE"/xml/guest.xml; say "$HOST_MEMORY_MIB $HOST_CPUS $VFS"; } | sha256sum | cut -c 1-16; }
guest_beats() { [ "$(on_host "$1" "grep -ac 'guest: HB' $GUEST_LOG" 2> /dev/null | head -n 1)" -gt 0 ]; }
healthy() {
  local n
  for n in $HOSTS; do
    is_running "$n" && timeout 10 virsh -c "$(uri "$n")" hostname > /dev/null 2>&1 || return 1
  done
}

stop_all() {
  local n
  for n in $HOSTS; do host stop "$n"; done
}

# From nothing to a snapshot: both hosts boot, the guest boots inside host 1.
prepare() {
  local n began=$SECONDS
  stop_all
  rm -rf "$SNAPSHOT"
  say "hosts: booting"
  for n in $HOSTS; do host start "$n"; done
  for n in $HOSTS; do
    host ready "$n"
    say "hosts: hv$n is ready after $((SECONDS - began)) s"
  done
  say "guest: booting inside hv1, which takes minutes on a busy machine"
  began=$SECONDS
  virsh -q -c "$(uri 1)" define "$HERE/xml/guest.xml" > /dev/null
  virsh -q -c "$(uri 1)" start guest > /dev/null
  await 1200 "the guest's first heartbeat" guest_beats 1
  say "guest: runs after $((SECONDS - began)) s"
  for n in $HOSTS; do
    host snapshot "$n"
    say "snapshot: hv$n, $(du -h "$SNAPSHOT/host$n.state" | cut -f 1)"
  done
  snapshot_key > "$SNAPSHOT/key"
}

up() {
  need_root
  lock
  local memory n
  memory=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
  healthy || [ "$memory" -ge 4096 ] || fail "two hosts need 4 GiB of memory, $memory MiB are available"
  "$HERE/tree.sh"
  "$HERE/image.sh"
  if [ "$(cat "$SNAPSHOT/key" 2> /dev/null)" != "$(snapshot_key)" ]; then
    prepare
  elif healthy && [ "${1:-}" != fresh ]; then
    say "hosts: both answer already"
    status
    return
  fi
  stop_all
  for n in $HOSTS; do
    host resume "$n"
    say "hosts: hv$n is back from its snapshot"
  done
  status
}

# What only half runs is mended by up.
status() {
  local n down=0
  for n in $HOSTS; do
    if ! is_running "$n"; then
      say "hv$n: down"
      down=1
    elif ! timeout 10 virsh -c "$(uri "$n")" hostname > /dev/null 2>&1; then
      say "hv$n: runs, and its libvirtd does not answer"
      down=1
    else
      say "hv$n: $(uri "$n") - $(on_host "$n" "cat /sys/bus/pci/devices/$PF/sriov_numvfs; ls /sys/bus/pci/drivers/vfio-pci | grep -c 0000:" \
        | paste -sd ' ' | awk '{ print $1 " virtual functions, " $2 " functions bound to vfio-pci" }'); guests: $(virsh -q -c "$(uri "$n")" list --name | paste -sd ' ')"
    fi
  done
  return $down
}

# at PORT COMMANDS: a shell on the host whose libvirt is forwarded to PORT, with the commands' exit code: what a server calls LibvirtHostShell.
at() {
  local n=${1:1:1} answer
  answer=$(on_host "$n" "( $2
) 2> /run/at.\$\$; code=\$?; [ \$code = 0 ] || cat /run/at.\$\$; rm /run/at.\$\$; echo; echo \$code")
  case ${answer##*$'\n'} in
    0) printf '%s\n' "${answer%$'\n'*}" ;;
    *) printf '%s\n' "${answer%$'\n'*}" >&2; return 1 ;;
  esac
}

case ${1:-} in
  up) up ;;
  fresh) up fresh ;;
  down) need_root; lock; stop_all; say "both hosts are down; $LAB keeps what the next up begins from" ;;
  purge) need_root; lock; stop_all; rm -rf --one-file-system "$LAB"; say "$LAB is removed" ;;
  status) need_root; status ;;
  sh) shift; on_host "$@" ;;
  at) shift; at "$@" ;;
  virsh) n=$2; shift 2; exec virsh -c "$(uri "$n")" "$@" ;;
  monitor) shift; monitor "$@" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
