# shellcheck shell=bash disable=SC2154 # cache is kernel.sh's
# SPDX-License-Identifier: GPL-2.0-or-later
# Compilers of another Debian release: a folder that has one and make, entered by chroot. Kernels
# want their modules built by the compiler that they were built with. Sourced after kernel.sh.

# toolchain_get COMPILER: sets toolchain to a folder with Debian unstable's COMPILER; made once.
toolchain_get() {
	local dir
	toolchain=$cache/toolchain/$1
	[ ! -x "$toolchain/usr/bin/$1" ] || return 0
	[ "$(id -u)" = 0 ] || toolchain_error "$1" "only root can make a folder for it" || return
	PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null ||
		toolchain_error "$1" "debootstrap is missing (apt-get install debootstrap)" || return
	mkdir -p "$cache/toolchain" || return
	exec {toolchain_lock}>"$cache/toolchain/.lock"
	flock "$toolchain_lock"
	if [ ! -x "$toolchain/usr/bin/$1" ]; then
		echo "vm: making a folder with Debian unstable's $1 in $cache (about 500 MB, once)" >&2
		dir=$(mktemp -d "$cache/toolchain/.new.XXXXXX") &&
			chmod 755 "$dir" &&
			PATH=$PATH:/usr/sbin debootstrap --variant=minbase --include="make,$1,libelf1t64" \
				sid "$dir" >"$cache/toolchain/log" 2>&1 {toolchain_lock}>&- &&
			rm -rf "$toolchain" "$dir"/var/cache/apt/archives/*.deb && mv "$dir" "$toolchain"
		rm -rf "$dir"
	fi
	exec {toolchain_lock}>&-
	[ -x "$toolchain/usr/bin/$1" ] ||
		toolchain_error "$1" "debootstrap did not get it (see $cache/toolchain/log)"
}

toolchain_error() {
	echo "vm: compiler $1: $2" >&2
	return 1
}

# toolchain_script FILE FOLDER...: writes a program that runs its arguments in the toolchain, where
# these folders have the names that they have outside. The mounts are gone when it ends.
toolchain_script() {
	local file=$1 folder
	shift
	{
		printf '#!/bin/sh\n[ -n "$INSIDE" ] || exec env INSIDE=1 unshare --mount '
		printf -- '--propagation private "$0" "$@"\n'
		printf 'set -e\nunset INSIDE\n'
		printf 'mount -t proc proc %q/proc\n' "$toolchain"
		for folder; do
			printf 'mkdir -p %q\nmount --bind %q %q\n' "$toolchain$folder" "$folder" \
				"$toolchain$folder"
		done
		printf 'exec chroot %q env PATH=/usr/bin:/bin "$@"\n' "$toolchain"
	} >"$file" && chmod 755 "$file"
}
