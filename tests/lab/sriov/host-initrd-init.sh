#!/bin/busybox sh
# /init of a host's initrd: the read-only root image with a layer of memory over it, then the real init.
/bin/busybox mkdir -p /proc /sys /dev /image /layer /root
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "$module"; done < /modules
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 300 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
mount -t erofs -o ro /dev/vda /image || { echo "HOST FAILED: the root image does not mount" > /dev/console; poweroff -f; }
mount -t tmpfs -o size=80% tmpfs /layer
mkdir -p /layer/upper /layer/work
mount -t overlay -o lowerdir=/image,upperdir=/layer/upper,workdir=/layer/work overlay /root
mkdir -p /root/proc /root/sys /root/dev /root/run
mount --move /proc /root/proc
mount --move /sys /root/sys
mount --move /dev /root/dev
exec switch_root /root /lab/init
