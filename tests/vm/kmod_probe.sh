#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: loads the module and tests its surface by raw VFIO calls.
# usage: kmod_probe.sh BUILDDIR (has kmod/mplane.ko and tests/vm/kmod_frame)
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

kmod_load "$1"
"$python" "$here/kmod_probe.py" "$1/tests/vm/kmod_frame"
code=$?
kmod_unload || code=1
exit $code
