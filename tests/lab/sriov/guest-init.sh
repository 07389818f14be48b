#!/bin/busybox sh
# The nested guest's only program. Machine-readable lines on the serial console, each beginning with "guest: ":
#   BOOTED up=..  HB n=.. up=..  PCI+ ADDRESS VENDOR:DEVICE  PCI- ADDRESS  NET+ NAME mac=.. driver=..  NET- NAME
# Kernel command line: guest.address=ADDRESS/BITS, given to eth0: the failover interface, which the standby and the function stand behind.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 3 > /proc/sys/kernel/printk
say() { echo "guest: $*" > /dev/console; }
while read -r module; do insmod "$module" || say "no $module"; done < /modules
ip link set lo up
address=
read -r words < /proc/cmdline
for word in $words; do
  case $word in guest.address=*) address=${word#*=} ;; esac
done
read -r up _ < /proc/uptime
say "BOOTED up=$up"
mkfifo /run/never
exec 9<> /run/never

# Shell built-ins alone in the loop: in TCG inside TCG a fork costs a tenth of a second.
functions=" " interfaces=" " n=0
while :; do
  now=" "
  for path in /sys/bus/pci/devices/*; do
    name=${path##*/} now="$now$name "
    case "$functions" in *" $name "*) continue ;; esac
    read -r vendor < "$path/vendor" && read -r device < "$path/device" && say "PCI+ $name ${vendor#0x}:${device#0x}"
  done
  for name in $functions; do
    case "$now" in *" $name "*) ;; *) say "PCI- $name" ;; esac
  done
  functions=$now now=" "
  for path in /sys/class/net/*; do
    name=${path##*/}
    [ "$name" = lo ] && continue
    now="$now$name "
    case "$interfaces" in *" $name "*) continue ;; esac
    driver=$(readlink "$path/device/driver") || driver=none
    read -r mac < "$path/address"
    ip link set "$name" up
    [ "$name" = eth0 ] && [ -n "$address" ] && ip addr add "$address" dev eth0
    say "NET+ $name mac=$mac driver=${driver##*/}"
  done
  for name in $interfaces; do
    case "$now" in *" $name "*) ;; *) say "NET- $name" ;; esac
  done
  interfaces=$now n=$((n + 1))
  read -r up _ < /proc/uptime
  say "HB n=$n up=$up"
  read -r -t 1 -u 9 _
done
