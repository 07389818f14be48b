#!/bin/bash
# Makes what the hosts boot, out of the tree and this directory's files: kernel, initrd, root image. Ends at once when nothing changed.
. "$(dirname "$0")/settings.sh"
version=$(cat "$TREE/kernel-version")
key=$(cat "$TREE/.complete" "$HERE"/{image,initramfs,host-init,host-initrd-init,guest-init}.sh | sha256sum | cut -c 1-16)
if [ "$(cat "$IMAGE/key" 2> /dev/null)" = "$key" ]; then
  say "image: there"
  exit 0
fi
for n in $HOSTS; do
  is_running "$n" && fail "host $n runs on the image that would be made anew"
done
say "image: initramfs of host and guest"
rm -rf "$IMAGE" "$SNAPSHOT"
mkdir -p "$IMAGE" "$TREE/lab"
cp "$TREE/boot/vmlinuz-$version" "$IMAGE/vmlinuz"
cp "$TREE/boot/vmlinuz-$version" "$TREE/lab/vmlinuz"
install -m 755 "$HERE/host-init.sh" "$TREE/lab/init"
"$HERE/initramfs.sh" "$HERE/host-initrd-init.sh" "$IMAGE/host.initrd" virtio_pci virtio_blk crc32c_generic erofs overlay
"$HERE/initramfs.sh" "$HERE/guest-init.sh" "$TREE/lab/guest.initrd" virtio_pci virtio_net net_failover igbvf
# The same guest as a disk that a BIOS boots, for control planes: they name an image, and no kernel.
say "image: the guest's disk"
cat > "$TREE/lab/syslinux.cfg" << 'CONF'
DEFAULT guest
PROMPT 0
LABEL guest
  KERNEL vmlinuz
  INITRD initrd.img
  APPEND console=ttyS0 quiet nokaslr tsc=reliable no_timer_check random.trust_cpu=on mitigations=off guest.address=10.99.0.50/24
CONF
# shellcheck disable=SC2016
in_tree bash -euc '
  cd /lab
  cylinders=$((($(stat -c %s vmlinuz) + $(stat -c %s guest.initrd)) / 1048576 + 4))
  rm -f guest.img
  truncate -s "${cylinders}M" guest.img
  export MTOOLSRC=/dev/null MTOOLS_SKIP_CHECK=1
  mformat -i guest.img -h 64 -s 32 -T $((cylinders * 2048)) ::
  mcopy -i guest.img vmlinuz ::vmlinuz
  mcopy -i guest.img guest.initrd ::initrd.img
  mcopy -i guest.img syslinux.cfg ::syslinux.cfg
  syslinux --install guest.img' > "$LAB/disk.log" 2>&1 || fail "the guest's disk; the end of $LAB/disk.log: $(tail -n 3 "$LAB/disk.log")"
# The hosts are this machine's own, reached over its loopback alone.
cat > "$TREE/etc/libvirt/libvirtd.conf" << 'CONF'
listen_tls = 0
listen_tcp = 1
listen_addr = "0.0.0.0"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
host_uuid = "1ab00000-0000-4000-8000-000000000000"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
CONF
cat > "$TREE/etc/libvirt/qemu.conf" << 'CONF'
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
CONF
rm -rf "$TREE"/etc/libvirt/qemu/networks/autostart/*
say "image: root image"
in_tree mkfs.erofs --quiet -x-1 \
  --exclude-regex="^(proc|sys|dev|tmp|run|boot|mnt|${LAB#/}|var/tmp|var/cache/apt|var/lib/apt|usr/share/(doc|man|locale|info|perl5|zoneinfo))/.*" \
  "$IMAGE/root.erofs" / > "$LAB/image.log" 2>&1 || fail "mkfs.erofs; the end of $LAB/image.log: $(tail -n 3 "$LAB/image.log")"
printf '%s' "$key" > "$IMAGE/key"
say "image: $(du -sh "$IMAGE" | cut -f 1)"
