#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: damage by what KVM guests write. usage: kmod_damage.sh BUILDDIR
# (environment: TYPES, WRITES, SLOW)
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

modprobe kvm_amd 2>/dev/null
[ -e /dev/kvm ] || { echo "SKIP: no KVM in this machine" && exit 77; }
kmod_load "$1"
"$python" "$here/kmod_damage.py"
code=$?
kmod_unload || code=1
exit $code
