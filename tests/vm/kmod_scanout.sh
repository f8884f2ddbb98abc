#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: what user space reads of devices of every type. usage: kmod_scanout.sh BUILDDIR
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

kmod_load "$1"
modprobe vgem 2>/dev/null
"$python" "$here/kmod_scanout.py" "$1/tests/vm/kmod_frame"
code=$?
kmod_unload || code=1
exit $code
