#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: Linux guests with bochs-drm, under KVM, on devices of every type.
# usage: kmod_linux.sh BUILDDIR   (environment: TYPES, default all: a minute each)
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

modprobe kvm_amd 2>/dev/null
[ -e /dev/kvm ] || { echo "SKIP: no KVM in this machine: a Linux guest takes minutes" && exit 77; }
kernel=$(cat /run/vm/share/kernel)/boot/vmlinuz-$(uname -r)
[ -r "$kernel" ] || { echo "SKIP: no $kernel" && exit 77; }
tree=/run/kmod_linux
mkdir -p $tree/bin $tree/modules
cp "$(command -v busybox)" $tree/bin/busybox
modprobe --show-depends bochs | awk '$1 == "insmod" { print $2 }' | while read -r module; do
	name=${module##*/}
	case $module in
	*.xz) name=${name%.xz} && xz -dc "$module" >"$tree/modules/$name" ;;
	*) cp "$module" "$tree/modules/$name" ;;
	esac
	echo "$name" >>$tree/modules/order
done
# Quiet but for what the test looks for.
cat >$tree/init <<'I'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do /bin/busybox insmod /modules/$module; done </modules/order
exec >/dev/tty1 2>&1
for line in 1 2 3 4 5 6 7 8 9; do echo "Line $line of a Linux guest with bochs-drm"; done
echo "DONE 1"
echo "READY" >/dev/ttyS0
read -r go </dev/ttyS0
for line in $(/bin/busybox seq 100); do echo "Line $line scrolls by"; done
echo "DONE 2"
echo "DONE" >/dev/ttyS0
/bin/busybox sleep 1000000
I
chmod 755 $tree/init
(cd $tree && find . | cpio --quiet -o -H newc | gzip -1) >/run/kmod_linux.initrd
kmod_load "$1"
modprobe vfio-pci
"$python" "$here/kmod_linux.py" "$kernel" /run/kmod_linux.initrd
code=$?
kmod_unload || code=1
exit $code
