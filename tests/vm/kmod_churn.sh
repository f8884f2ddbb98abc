#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: unload, remove, close and unmap in random order. usage: kmod_churn.sh BUILDDIR
# (environment: SEED, ROUNDS)
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

kmod_load "$1"
# Loaded hundreds of times: without debugging information, from memory.
objcopy --strip-debug "${MPLANE_KO:-$1/kmod/mplane.ko}" /dev/shm/mplane.ko || exit 1
"$python" "$here/kmod_churn.py" /dev/shm/mplane.ko "${ROUNDS:-1000}" \
	"${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"
code=$?
kmod_unload || code=1
exit $code
