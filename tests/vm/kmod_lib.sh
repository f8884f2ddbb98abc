# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# Loading and unloading for the module's tests, sourced. They run inside a test machine only.
python=/usr/bin/python3

# Run by hand, a script starts itself again below a program that holds a machine of KVM.
[ -n "${PLANECAST_KVM_HELD-}" ] || exec "$python" "$here/hold_kvm.py" bash "$0" "$@"

# kmod_load BUILDDIR [PARAMETER=VALUE]...: loads $MPLANE_KO, or the one built in BUILDDIR.
kmod_load() {
	local module=${MPLANE_KO:-$1/kmod/mplane.ko}
	shift
	[ -r "$module" ] || { echo "SKIP: no $module (configure --with-kdir)" && exit 77; }
	modprobe -a vfio_iommu_type1 vfio mdev && insmod "$module" "$@" || {
		echo "FAIL: mplane.ko cannot be loaded"
		dmesg | tail -20
		exit 1
	}
}

# kmod_unload: removes the devices left and the module, and looks for what is left in memory and what
# the kernel complained of.
kmod_unload() {
	local file turn code=0
	for file in /sys/bus/mdev/devices/*/remove; do
		[ ! -w "$file" ] || echo 1 >"$file"
	done
	"$python" "$here/kmod_leaks.py" none
	[ $? != 1 ] || code=1
	# A descriptor's last reference may be dropped a moment after its close.
	for turn in 1 2 3 4 5 6 7 8 9 10; do
		rmmod mplane 2>/dev/null && break
		sleep 0.1
	done
	if [ -d /sys/module/mplane ]; then
		echo "FAIL: the module is in use after all devices are gone ($turn tries)"
		code=1
	fi
	if dmesg | grep -E 'WARNING:|BUG:|Oops|general protection|Bad page|refcount_t|lockdep|possible (recursive|circular)|UBSAN|KASAN|kmemleak'; then
		echo "FAIL: the kernel complained:"
		dmesg | tail -60
		code=1
	fi
	return $code
}
