#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# All tests of the module, on Debian's kernels, each built for it and booted once (scripts/vm).
# usage: kmod_all.sh BUILDDIR [KERNEL]...   (6.1, 6.12, sid; default 6.1)
# Exit status: 0 all passed, 1 something failed, 77 nothing could run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
[ -x "${1:-}/tests/vm/kmod_frame" ] || {
	echo "usage: kmod_all.sh BUILDDIR [KERNEL]... (after make check_PROGRAMS there)" >&2
	exit 2
}
build=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- 6.1

ran=0 code=0
for kernel; do
	headers=$("$top/scripts/vm" --kernel "$kernel" --headers) || {
		echo "SKIP: $kernel: no headers"
		continue
	}
	if ! make -f "$top/kmod/Makefile" BUILD="$build/kmod/build-$kernel" KDIR="$headers" \
		KFLAGS=-s modules >"$build/kmod/build-$kernel.log" 2>&1; then
		echo "FAIL: $kernel: the module does not build"
		tail -20 "$build/kmod/build-$kernel.log"
		code=1
		continue
	fi
	"$top/scripts/vm" --kernel "$kernel" --timeout 3000 -- \
		"$here/kmod_inside.sh" "$build" "$build/kmod/build-$kernel/mplane.ko"
	case $? in
	0) ran=1 ;;
	77) ;;
	*) ran=1 code=1 ;;
	esac
done
[ $ran = 1 ] || [ $code = 1 ] || exit 77
exit $code
