#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the module by DKMS, in folders of our own, for a kernel of scripts/vm; looks at the result.
# usage: kmod_dkms.sh [KERNEL]     (exit code 77: this machine has no DKMS, or no such kernel)
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

command -v dkms >/dev/null || { echo "dkms is missing (apt-get install dkms)" && exit 77; }
[ "$(id -u)" = 0 ] || { echo "only root runs dkms" && exit 77; }
headers=$("$top/scripts/vm" --kernel "${1:-6.1}" --headers) || exit 77
version=${headers##*/linux-headers-}
work=$(mktemp -d "${TMPDIR:-/tmp}/planecast-dkms.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
number=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/kmod/dkms.conf")
make -s -f "$top/kmod/Makefile" BUILD="$work/src/mplane-$number" stage || exit 1
mkdir "$work/tree" || exit 1
dkms() {
	command dkms "$1" mplane/"$number" --dkmstree "$work/tree" --sourcetree "$work/src" \
		-k "$version" --kernelsourcedir "$headers" "${@:2}"
}
dkms add && dkms build || {
	cat "$work"/tree/mplane/*/build/make.log
	exit 1
}
module=$(find "$work/tree/mplane/$number/$version" -name 'mplane.ko*')
modinfo "$module" || exit 1

# expect FIELD PATTERN: what modinfo says of it.
code=0
expect() {
	modinfo -F "$1" "$module" | grep -qE "$2" && return
	echo "FAIL: modinfo: $1 is '$(modinfo -F "$1" "$module")', not like $2"
	code=1
}
expect vermagic "^$version SMP"
expect license '^GPL$'
expect version "^$number\$"
expect description '[a-z]{3}'
expect import_ns '^DMA_BUF$'
expect depends 'mdev.*vfio|vfio.*mdev'
for parameter in vram_mb memory_mb require_kvm no_cpu_map plane_off first_query_fails pull_only flips; do
	expect parm "^$parameter:[a-z0-9]"
done
exit $code
