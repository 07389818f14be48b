#!/bin/bash
# initramfs.sh INIT OUT MODULE...: an initramfs of busybox, the named kernel modules of the tree (with what they need) and INIT as /init.
. "$(dirname "$0")/settings.sh"
init=$1 out=$2
shift 2
work=$(mktemp -d "$LAB/initramfs.XXXXXX")
trap 'rm -rf "$work"' EXIT
version=$(cat "$TREE/kernel-version")
modules=$TREE/usr/lib/modules/$version
mkdir -p "$work"/{bin,dev,proc,sys,tmp,run,lib}
cp "$TREE/usr/bin/busybox" "$work/bin/busybox"
install -m 755 "$init" "$work/init"
: > "$work/modules"

# add MODULE: what it depends on comes first; the guest inserts the files in the list's order.
add() {
  local name=${1//-/_} line path dependency file
  line=$(awk -F: -v wanted="$name" '{ n = $1; sub(/.*\//, "", n); sub(/\.ko.*/, "", n); gsub(/-/, "_", n); if (n == wanted) { print; exit } }' "$modules/modules.dep")
  if [ -z "$line" ]; then
    grep -qE "/${name//_/[-_]}\.ko" "$modules/modules.builtin" && return
    fail "kernel $version has no module $name"
  fi
  path=${line%%:*}
  for dependency in ${line#*:}; do
    dependency=${dependency##*/}
    add "${dependency%%.ko*}"
  done
  file=${path##*/} file=/lib/${file%%.ko*}.ko
  grep -qx "$file" "$work/modules" && return
  case $path in
    *.xz) xz -dc "$modules/$path" > "$work$file" ;;
    *.zst) zstd -qdc "$modules/$path" > "$work$file" ;;
    *) cp "$modules/$path" "$work$file" ;;
  esac
  printf '%s\n' "$file" >> "$work/modules"
}

for module in "$@"; do add "$module"; done
(cd "$work" && find . | "$TREE/usr/bin/busybox" cpio -o -H newc 2> /dev/null | gzip -1) > "$out.new"
mv "$out.new" "$out"
