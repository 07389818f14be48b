# What every script of this rig agrees on; sourced, never run. Everything the rig makes is below LAB, and nothing else is touched.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# A checkout may change under a command that takes minutes.
cd /
LAB=${CONTROLPLANE_LAB:-/var/tmp/controlplane-lab}/sriov
TREE=$LAB/tree          # Debian 13: the root of both hosts, and where their own QEMU runs in
IMAGE=$LAB/image        # kernel, initrd and root image that the hosts boot
SNAPSHOT=$LAB/snapshot  # both hosts as they were when all was ready
HOSTS="1 2"
HOST_MEMORY_MIB=2048 HOST_CPUS=2 VFS=4
PF=0000:04:00.0

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

run_dir() { printf '%s/host%s' "$LAB" "$1"; }
libvirt_port() { printf '2%s509' "$1"; }
exec_port() { printf '2%s701' "$1"; }
uri() { printf 'qemu+tcp://127.0.0.1:%s/system' "$(libvirt_port "$1")"; }

# Whether a host's machine runs: its pid file names a process that is ours (a number may have been given to another program since).
is_running() {
  local pid
  pid=$(cat "$(run_dir "$1")/pid" 2> /dev/null) || return 1
  tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" | grep -qF -- "$(run_dir "$1")/"
}

# in_tree CMD...: runs a program of the tree with the rig's directory at its own path, in mounts that end with it.
in_tree() {
  mkdir -p "$TREE$LAB"
  # shellcheck disable=SC2016
  unshare -m --propagation private bash -c '
    lab=$1 tree=$2; shift 2
    mount --bind "$lab" "$tree$lab"; mount -t proc proc "$tree/proc"; mount --bind /dev "$tree/dev"
    exec chroot "$tree" "$@"' _ "$LAB" "$TREE" "$@"
}

# on_host N COMMANDS: runs shell commands inside a host, and prints what they print.
on_host() {
  local port
  port=$(exec_port "$1"); shift
  exec 3<> "/dev/tcp/127.0.0.1/$port" || return 1
  printf '%s\nexit\n' "$*" >&3
  timeout "${TIMEOUT:-60}" cat <&3
  exec 3>&-
}

# monitor N COMMAND: one command of QEMU's own monitor.
monitor() {
  local host=$1; shift
  # The monitor echoes what it is told as if typed; only what it answers is of use.
  printf '%s\n' "$*" | in_tree socat -t "${TIMEOUT:-2}" - "UNIX-CONNECT:$(run_dir "$host")/monitor.sock" | tr -d '\0\r' | sed -e '/\x1b/d' -e '/^QEMU .* monitor/d' -e '/^(qemu) *$/d'
}

# await SECONDS WHAT CMD...: tries CMD until it succeeds; says what was waited for when it never does.
await() {
  local seconds=$1 what=$2 end
  shift 2
  end=$((SECONDS + seconds))
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "$what: not within $seconds s"
    sleep 0.3
  done
}
