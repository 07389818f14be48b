#!/bin/bash
# One nested host: host.sh start|resume|ready|snapshot|stop N. A host is a QEMU machine on TCG with an Intel IOMMU and an SR-IOV NIC (igb).
. "$(dirname "$0")/settings.sh"
action=${1:?start, resume, ready, snapshot or stop} n=${2:?1 or 2}
other=$((3 - n)) dir=$(run_dir "$n")
state=$SNAPSHOT/host$n.state

start() { # start [QEMU ARGUMENT...]
  is_running "$n" && return
  for port in "$(libvirt_port "$n")" "$(exec_port "$n")"; do
    ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || fail "something else listens on 127.0.0.1:$port, which host $n needs"
  done
  mkdir -p "$dir"
  rm -f "$dir"/*.sock "$dir/serial.log"
  local machine=(
    -name "hv$n" -machine q35 -accel tcg,thread=multi,tb-size=512 -cpu Nehalem -smp "$HOST_CPUS" -m "$HOST_MEMORY_MIB"
    -nodefaults -display none -no-reboot
    -device intel-iommu,intremap=on,caching-mode=on
    -kernel "$IMAGE/vmlinuz" -initrd "$IMAGE/host.initrd"
    -append "console=ttyS0 quiet intel_iommu=on iommu=pt lab.host=$n lab.vfs=$VFS"
    -serial "file:$dir/serial.log" -monitor "unix:$dir/monitor.sock,server=on,wait=off"
    -device pcie-root-port,id=rp1,chassis=1,slot=1,addr=3.0,multifunction=on
    -device pcie-root-port,id=rp2,chassis=2,slot=2,addr=3.1
    -device pcie-root-port,id=rp3,chassis=3,slot=3,addr=3.2
    -device pcie-root-port,id=rp4,chassis=4,slot=4,addr=4.0,multifunction=on
    -device pcie-root-port,id=rp5,chassis=5,slot=5,addr=4.1
    -device pcie-root-port,id=rp6,chassis=6,slot=6,addr=4.2
    -drive "file=$IMAGE/root.erofs,if=none,id=root,format=raw,readonly=on,file.locking=off" -device virtio-blk-pci,drive=root,bus=rp1
    -netdev "user,id=mgmt,hostfwd=tcp:127.0.0.1:$(libvirt_port "$n")-10.0.2.15:16509,hostfwd=tcp:127.0.0.1:$(exec_port "$n")-10.0.2.15:7001"
    -device "virtio-net-pci,netdev=mgmt,mac=52:54:00:00:0$n:01,bus=rp2,romfile="
    -netdev "dgram,id=link,local.type=unix,local.path=$dir/link.sock,remote.type=unix,remote.path=$(run_dir "$other")/link.sock"
    -device "virtio-net-pci,netdev=link,mac=52:54:00:00:0$n:02,bus=rp3,romfile="
    # The SR-IOV NIC, an Intel 82576 with up to seven virtual functions; its wire is the fabric, below.
    -device "igb,netdev=fabric,mac=52:54:00:00:0$n:10,bus=rp4,romfile="
    # One IOMMU group of several functions: what is behind a PCIe-to-PCI bridge cannot be told apart. And a display, stand-in of a GPU.
    -device pcie-pci-bridge,id=bridge,bus=rp5
    -device "e1000,bus=bridge,addr=1,mac=52:54:00:00:0$n:20,romfile=" -device "rtl8139,bus=bridge,addr=2,mac=52:54:00:00:0$n:21,romfile="
    -device bochs-display,bus=rp6
    -device virtio-rng-pci
  )
  # The fabric joins both NICs and a third place, the probe, from which a test hears what passes. The hub of the three is in host 1.
  if [ "$n" = 1 ]; then
    machine+=(
      -netdev hubport,id=fabric,hubid=0
      -netdev "dgram,id=peer,local.type=unix,local.path=$dir/fabric.sock,remote.type=unix,remote.path=$(run_dir 2)/fabric.sock"
      -netdev hubport,id=peerport,hubid=0,netdev=peer
      -netdev "dgram,id=probe,local.type=unix,local.path=$dir/probe.sock,remote.type=unix,remote.path=$LAB/probe.sock"
      -netdev hubport,id=probeport,hubid=0,netdev=probe
    )
  else
    machine+=(-netdev "dgram,id=fabric,local.type=unix,local.path=$dir/fabric.sock,remote.type=unix,remote.path=$(run_dir 1)/fabric.sock")
  fi
  # In a session of its own, and without the rig's lock: it outlives the script that starts it.
  mkdir -p "$TREE$LAB"
  # shellcheck disable=SC2016
  setsid unshare -m --propagation private bash -c '
    lab=$1 tree=$2; shift 2
    mount --bind "$lab" "$tree$lab"; mount -t proc proc "$tree/proc"; mount --bind /dev "$tree/dev"
    exec chroot "$tree" "$@"' _ "$LAB" "$TREE" qemu-system-x86_64 "${machine[@]}" "$@" > "$dir/qemu.log" 2>&1 < /dev/null 8>&- 9>&- &
  printf '%s\n' $! > "$dir/pid"
}

alive() {
  is_running "$n" || fail "host $n has ended: $(tail -n 3 "$dir/qemu.log" | tr -d '\r') $(grep -a 'HOST FAILED\|HOST .*FAILED' "$dir/serial.log" | tail -n 1)"
}

ready() {
  local end=$((SECONDS + ${1:-600}))
  until grep -qa 'HOST .* READY' "$dir/serial.log" 2> /dev/null; do
    alive
    [ "$SECONDS" -lt "$end" ] || fail "host $n is not ready; its console: $(tail -n 2 "$dir/serial.log")"
    sleep 0.5
  done
}

has_arrived() { monitor "$n" info status | grep -q 'VM status: paused *$'; }
answers() { timeout 5 virsh -c "$(uri "$n")" hostname; }

resume() {
  [ -f "$state" ] || fail "there is no snapshot of host $n"
  start -incoming "file:$state"
  sleep 1
  alive
  TIMEOUT=0.3 await 60 "host $n read from its snapshot" has_arrived
  TIMEOUT=0.3 monitor "$n" cont > /dev/null
  await 60 "libvirtd of host $n" answers
  # The snapshot's clock is as old as the snapshot; libvirt's job figures compare the clocks of both hosts.
  on_host "$n" "date -s @$(date +%s.%N)" > /dev/null
}

# No virtual function may be in a guest: VFIO devices do not travel.
snapshot() {
  mkdir -p "$SNAPSHOT"
  TIMEOUT=0.3 monitor "$n" stop > /dev/null
  TIMEOUT=0.3 monitor "$n" "migrate -d file:$state" > /dev/null
  local answer end=$((SECONDS + 120))
  while :; do
    answer=$(TIMEOUT=0.3 monitor "$n" info migrate)
    case ${answer,,} in
      *completed*) break ;;
      *failed* | *blocked*) fail "snapshot of host $n: $(grep -iE 'status|error' <<< "$answer" | tr '\n' ' ')" ;;
    esac
    [ "$SECONDS" -lt "$end" ] || fail "snapshot of host $n takes more than 120 s: $answer"
    sleep 0.3
  done
  stop
}

stop() {
  if is_running "$n"; then
    local pid
    pid=$(cat "$dir/pid")
    kill "$pid"
    for _ in $(seq 50); do
      is_running "$n" || break
      sleep 0.1
    done
    ! is_running "$n" || kill -9 "$pid"
  fi
  rm -f "$dir/pid" "$dir"/*.sock
}

case $action in
  start | resume | ready | snapshot | stop) "$action" ;;
  *) fail "host.sh knows no '$action'" ;;
esac
