#!/bin/busybox sh
# The guest's only program. What it prints on the serial console is read by machines, one line each, all beginning with "guest: ":
#   BOOTED up=..                      user space is reached
#   HB n=.. up=..                     a heartbeat, several a second; up is the guest's uptime in seconds
#   PCI+ 0000:05:00.0 1af4:1041       a PCI function appeared (hot-plugged ones too); PCI- when it went
#   NET+ eth0 mac=.. driver=..        an interface appeared and is up, eth0 with address=.. where it has one; NET- when it went
#   DIRTYING .. MiB/s over .. MiB     the memory-dirtying loop has filled its memory and keeps the rate from here on
#   POWER obeyed | POWER ignored      the ACPI power button was pressed
# Told by the kernel's command line: guest.address=192.0.2.10/24, or guest.address=auto (192.0.2.16 to .239, from the MAC), guest.dirty=MiB-per-second guest.span=MiB guest.power=ignore
/bin/busybox mkdir -p /bin /proc /sys /dev /run
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /ram
mount -t tmpfs -o size=90% ram /ram
echo 3 > /proc/sys/kernel/printk
while read -r module; do insmod "$module"; done < /modules
say() { echo "guest: $*" > /dev/console; }

address= dirty=0 span=64 power=obey
read -r words < /proc/cmdline
for word in $words; do
  case $word in
    guest.address=*) address=${word#*=} ;;
    guest.dirty=*) dirty=${word#*=} ;;
    guest.span=*) span=${word#*=} ;;
    guest.power=*) power=${word#*=} ;;
  esac
done

ip link set lo up
read -r up _ < /proc/uptime
say "BOOTED up=$up"
mkfifo /run/never
exec 9<> /run/never

# Shell built-ins alone in the loop: without KVM a fork costs more than all the rest of it.
watch_hardware() {
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
      [ -e "$path/device" ] || continue
      now="$now$name "
      case "$interfaces" in *" $name "*) continue ;; esac
      driver=$(readlink "$path/device/driver")
      read -r mac < "$path/address"
      ip link set "$name" up
      more=
      if [ "$name" = eth0 ] && [ -n "$address" ]; then
        [ "$address" = auto ] && address=192.0.2.$((0x${mac##*:} % 224 + 16))/24
        ip addr add "$address" dev eth0
        more=" address=${address%/*}"
      fi
      say "NET+ $name mac=$mac driver=${driver##*/}$more"
    done
    for name in $interfaces; do
      case "$now" in *" $name "*) ;; *) say "NET- $name" ;; esac
    done
    interfaces=$now n=$((n + 1))
    read -r up _ < /proc/uptime
    say "HB n=$n up=$up"
    read -r -t 0.2 -u 9 _
  done
}

# Writes other bytes than zeros, four slices a second, round and round; late slices are made up for, so the rate holds where it can.
dirty_memory() {
  slice=$(((dirty + 3) / 4)) slices=$((span * 4 / dirty)) at=0
  [ "$slices" -ge 1 ] || slices=1
  dd if=/dev/urandom of=/ram/pattern bs=1M count="$slice" 2> /dev/null
  while [ "$at" -lt "$slices" ]; do
    dd if=/ram/pattern of=/ram/span bs=1M count="$slice" seek=$((at * slice)) conv=notrunc 2> /dev/null
    at=$((at + 1))
  done
  say "DIRTYING $dirty MiB/s over $((slices * slice)) MiB"
  read -r up _ < /proc/uptime
  due=${up%.*}${up#*.} at=0
  while :; do
    dd if=/ram/pattern of=/ram/span bs=1M count="$slice" seek=$((at * slice)) conv=notrunc 2> /dev/null
    at=$(((at + 1) % slices)) due=$((due + slice * 100 / dirty))
    read -r up _ < /proc/uptime
    early=$((due - ${up%.*}${up#*.}))
    [ "$early" -gt 0 ] && usleep $((early * 10000))
  done
}

watch_power_button() {
  for path in /sys/class/input/event*; do
    read -r name < "$path/device/name"
    [ "$name" = "Power Button" ] || continue
    exec 8< "/dev/input/${path##*/}"
    # An event is 24 bytes; the first of a press is enough, the rest of it (its end and the release) comes within the second read.
    while dd bs=96 count=1 <&8 > /dev/null 2>&1; do
      if [ "$power" = ignore ]; then
        say "POWER ignored"
      else
        say "POWER obeyed"
        poweroff -f
      fi
    done
  done
}

watch_hardware &
watch_power_button &
[ "$dirty" -gt 0 ] && dirty_memory &
while :; do
  setsid cttyhack sh
  sleep 1
done
