#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: guests on devices of every type. usage: kmod_guest.sh BUILDDIR
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kmod_lib.sh"

[ -r /usr/share/seabios/vgabios-bochs-display.bin ] || { echo "SKIP: no VGA BIOS (seabios)" && exit 77; }
kmod_load "$1"
modprobe vfio-pci
modprobe kvm_amd 2>/dev/null
"$python" "$here/kmod_guest.py"
code=$?
kmod_unload || code=1
exit $code
