#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: status, event, damage, EDID, removal. usage: kmod_status.sh BUILDDIR
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

kmod_load "$1"
"$python" "$here/kmod_status.py"
code=$?
kmod_unload || code=1
exit $code
