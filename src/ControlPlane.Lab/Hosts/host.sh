#!/bin/bash
# The first process of one host's namespaces (mount, UTS, network, IPC, processes): gives the host its own name, /etc and state, and then only
# waits. When it ends, by a signal or because whoever holds its standard input is gone, the kernel ends all that runs in the host.
#   host.sh DIRECTORY NAME [detached]
set -euo pipefail
directory=$1 name=$2

# /proc is still the machine's: the number and the start time by which these namespaces are found from outside.
read -ra stat < /proc/self/stat

mount -t proc proc /proc
mount -t sysfs sysfs /sys
hostname "$name"
ip link set lo up

# An /etc of links to the machine's, but for what is the host's own; so the machine needs no mount points.
mount --bind /etc "$directory/etc.machine"
mount -t tmpfs -o mode=0755 tmpfs /etc
shopt -s dotglob nullglob
for entry in "$directory/etc.machine/"*; do
  case ${entry##*/} in libvirt | pki | hosts | hostname | passwd | shadow | group) continue ;; esac
  if [ -L "$entry" ]; then cp -a "$entry" /etc/; else ln -s "$entry" /etc/; fi
done
ln -s "$directory/etc/"* /etc/

for part in lib cache log; do
  mkdir -p "/var/$part/libvirt"
  mount --bind "$directory/$part" "/var/$part/libvirt"
done
mkdir -p /run/libvirt
mount --bind "$directory/run" /run/libvirt

if [ "${3:-}" = detached ]; then
  # A pipe of its own, open for writing too: its end never comes.
  rm -f "$directory/hold"
  mkfifo "$directory/hold"
  exec <> "$directory/hold"
fi

echo "${stat[0]} ${stat[21]}" > "$directory/host.pid.new"
mv "$directory/host.pid.new" "$directory/host.pid"

# The first process also takes in the orphans (QEMU is one) that have ended: bash does so while it waits, but not while it reads.
cat <&0 > /dev/null &
wait $!
