#!/bin/bash
# First process of a nested host: no systemd, what libvirt needs and nothing else. Kernel command line: lab.host=1|2 lab.vfs=N
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C
word() { sed -n "s/.*lab\.$1=\([0-9]*\).*/\1/p" /proc/cmdline; }
N=$(word host) VFS=$(word vfs)
say() { echo "HOST $(cut -d' ' -f1 /proc/uptime) $*" > /dev/console; }
die() { say "FAILED: $*"; sleep 1; echo o > /proc/sysrq-trigger; sleep 60; }

hostname "hv$N"
mkdir -p /dev/pts /dev/shm /run /tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/lock /run/libvirt
printf '127.0.0.1 localhost\n10.88.0.1 hv1\n10.88.0.2 hv2\n' > /etc/hosts
printf '%032x\n' "$((0xfeed0000 + N))" > /etc/machine-id
modprobe -qa virtio_net vfio-pci tun bridge

# Its two own interfaces are told by their MAC: 01 is towards the machine around it, 02 towards the other host.
ip link set lo up
for path in /sys/class/net/*; do
  interface=${path##*/}
  case $(cat "$path/address") in
    52:54:00:00:0?:01) ip addr add 10.0.2.15/24 dev "$interface"; ip link set "$interface" up ;;
    # The link carries migrations: a large MTU halves what each page costs without KVM.
    52:54:00:00:0?:02) ip link set "$interface" mtu 16000; ip addr add "10.88.0.$N/24" dev "$interface"; ip link set "$interface" up ;;
  esac
done
/usr/lib/systemd/systemd-udevd --daemon --resolve-names=never
# Commands of the rig come as lines to this port, which is forwarded from the loopback of the machine around.
setsid socat TCP-LISTEN:7001,reuseaddr,fork,bind=10.0.2.15 EXEC:/bin/bash,stderr < /dev/null > /dev/null 2>&1 &
udevadm trigger --type=subsystems --action=add
udevadm trigger --type=devices --action=add
udevadm settle -t 120
say "devices settled"

# br0, over the physical function, carries the virtio interfaces of guests; virtual functions share the function's wire.
PF=/sys/bus/pci/devices/0000:04:00.0
[ -d "$PF/net" ] || die "the SR-IOV NIC has no driver"
uplink=$(basename "$PF"/net/*)
ip link add br0 type bridge
ip link set br0 address "52:54:00:00:0$N:1f"
ip link set "$uplink" master br0
# With virtual functions the NIC loops frames of the physical function back to it, and a bridge that learned from them would take its own guests
# to be out on the wire. What is not known to be here goes out: the wire has no other bridge port to choose.
bridge link set dev "$uplink" learning off
ip link set "$uplink" up
ip addr add "10.99.0.$N/24" dev br0
ip link set br0 up
echo "$VFS" > "$PF/sriov_numvfs" || die "virtual functions were not made"
udevadm settle -t 120
say "$(cat "$PF/sriov_numvfs") virtual functions"

sed -i "s/^host_uuid.*/host_uuid = \"1ab00000-0000-4000-8000-00000000000$N\"/" /etc/libvirt/libvirtd.conf
libvirtd --listen -d || die "libvirtd does not start"
for _ in $(seq 1200); do
  virsh -c qemu:///system hostname > /dev/null 2>&1 && break
  sleep 0.2
done
# The first question for QEMU's capabilities takes long; here it is asked once and kept in the snapshot.
virsh -c qemu:///system domcapabilities > /dev/null || die "libvirt finds no QEMU"
say READY
while :; do wait -n 2> /dev/null || sleep 5; done
