#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: random operations on a device of every type, then removal and unloading.
# usage: kmod_fuzz.sh BUILDDIR   (environment: SEED, OPERATIONS)
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
operations=${OPERATIONS:-1000000}
kmod_load "$1"
uuids=() number=0
for type in /sys/class/mdev_bus/mplane/mdev_supported_types/*; do
	uuids+=("6b1f5bd4-0004-4000-8000-00000000000$number")
	number=$((number + 1))
	echo "${uuids[-1]}" >"$type/create" || exit 1
done
"$python" "$here/kmod_leaks.py" some
[ $? != 1 ] || exit 1
echo "kmod_fuzz: seed $seed, $operations operations on ${#uuids[@]} devices"
"$1/tests/vm/kmod_fuzz" "$seed" "$operations" "${uuids[@]}"
code=$?
[ $code = 0 ] || echo "FAIL: the fuzzer ended with $code"
kmod_unload || code=1
echo "kmod_fuzz ($operations operations, seed $seed): $((code == 0)) passed, $((code != 0)) failed"
exit $code
