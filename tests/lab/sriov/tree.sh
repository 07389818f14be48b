#!/bin/bash
# Makes the tree: a Debian 13 with libvirt, QEMU and a kernel, from the mirror that this machine's apt uses. Ends at once when it is there.
. "$(dirname "$0")/settings.sh"

PACKAGES="libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils udev kmod iproute2 iputils-ping busybox-static pciutils socat
  procps iptables nftables dnsmasq-base ethtool gawk cpio zstd xz-utils mdevctl erofs-utils
  syslinux mtools"
DONE=$TREE/.complete

if [ -f "$DONE" ]; then
  say "tree: there ($(cat "$DONE"))"
  exit 0
fi
command -v debootstrap > /dev/null || fail "debootstrap is missing: apt-get install debootstrap"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null | grep -m 1 '/debian/$' || true)
mirror=${CONTROLPLANE_LAB_MIRROR:-$mirror}
[ -n "$mirror" ] || fail "no Debian mirror among this machine's apt sources: set CONTROLPLANE_LAB_MIRROR"

# A tree that was interrupted is begun anew: debootstrap does not continue one.
rm -rf "$TREE"
mkdir -p "$TREE"
say "tree: debootstrap"
debootstrap --variant=minbase --include=ca-certificates trixie "$TREE" "$mirror" > "$LAB/debootstrap.log" 2>&1 \
  || fail "debootstrap failed; the end of $LAB/debootstrap.log: $(tail -n 3 "$LAB/debootstrap.log")"
# The proxy and the resolver of this machine serve the tree too.
cp /etc/resolv.conf /etc/hosts "$TREE/etc/"
printf '#!/bin/sh\nexit 101\n' > "$TREE/usr/sbin/policy-rc.d"
chmod +x "$TREE/usr/sbin/policy-rc.d"
printf '%s\n' 'Acquire::Languages "none";' 'APT::Install-Recommends "false";' 'Dpkg::Options {"--force-unsafe-io"};' > "$TREE/etc/apt/apt.conf.d/99lab"
printf 'path-exclude=/usr/share/%s/*\n' doc man locale info > "$TREE/etc/dpkg/dpkg.cfg.d/99lab"
say "tree: libvirt and QEMU"
# shellcheck disable=SC2016
in_tree bash -euc '
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y --no-install-recommends $1
  # The kernel is unpacked only: its package would want an initramfs generator and a boot loader.
  package=$(apt-cache depends linux-image-amd64 | awk "/Depends: linux-image-6/ { print \$2; exit }")
  mkdir -p -m 777 /tmp/kernel
  cd /tmp/kernel
  apt-get download -qq "$package"
  dpkg-deb -x linux-image*.deb /
  rm -rf /tmp/kernel
  depmod "${package#linux-image-}"
  printf "%s\n" "${package#linux-image-}" > /kernel-version
  apt-get clean' _ "$PACKAGES" > "$LAB/packages.log" 2>&1 || fail "packages of the tree; the end of $LAB/packages.log: $(tail -n 3 "$LAB/packages.log")"
printf 'Debian %s, kernel %s, %s' "$(cat "$TREE/etc/debian_version")" "$(cat "$TREE/kernel-version")" \
  "$(in_tree dpkg-query -W -f '${Package} ${Version}, ' libvirt-daemon qemu-system-x86 | sed 's/, $//')" > "$TREE/.complete.new"
mv "$TREE/.complete.new" "$DONE"
say "tree: $(cat "$DONE")"
