# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian kernels, fetched and unpacked into a cache folder: nothing is installed. Sourced.
#
# A kernel KV lies in $cache/kernel/KV as its packages have it (boot/, lib/modules/KV,
# usr/src/linux-headers-KV), with modules.dep made, a `build` link to the headers and headers that
# work where they lie. A folder there is complete: it is made under another name and renamed.

cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/planecast
kernel_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

kernel_error() {
	echo "vm: kernel $1: $2" >&2
	return 1
}

# kernel_root KV: where that kernel is unpacked.
kernel_root() {
	echo "$cache/kernel/$1"
}

# kernel_cached NAME: the newest unpacked kernel of that name, if there is one.
kernel_cached() {
	if [ "$1" = sid ]; then
		readlink "$cache/kernel/sid" 2>/dev/null
	else
		find "$cache/kernel" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null |
			grep -Ex "$(kernel_pattern "$1")" | sort -V | tail -1 | grep .
	fi
}

# kernel_pattern NAME: the versions that a name stands for, as an extended regular expression.
# Only plain amd64 kernels: no -rt-, no -cloud-, nothing unsigned.
kernel_pattern() {
	case $1 in
	sid) echo '[0-9]+\.[0-9][0-9.]*(-rc[0-9]+)?([-+~][a-z0-9.~]+)?-amd64' ;;
	*-amd64) echo "${1//[.+]/[&]}" ;;
	*) echo "${1//./[.]}[.][0-9.]+([-+~][a-z0-9.~]+)?-amd64" ;;
	esac
}

# kernel_newest NAME APT-OPTION...: the newest version of that name that apt can download.
kernel_newest() {
	local pattern version
	pattern=$(kernel_pattern "$1")
	shift
	apt-cache "$@" pkgnames linux-image- | sed 's/^linux-image-//' | grep -Ex "$pattern" |
		sort -rV | while read -r version; do
		if apt-cache "$@" policy "linux-image-$version" | grep -q 'Candidate: [0-9]'; then
			echo "$version"
			break
		fi
	done | grep .
}

# kernel_archive SUITE...: sets apt_options to an apt of our own that knows these suites.
kernel_archive() {
	local dir suite
	dir=$cache/apt/$(IFS=_ && echo "$*")
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" || return 1
	for suite; do
		case $suite in
		*-security) echo "deb [signed-by=$kernel_keyring] http://deb.debian.org/debian-security $suite main" ;;
		*) echo "deb [signed-by=$kernel_keyring] http://deb.debian.org/debian $suite main" ;;
		esac
	done >"$dir/sources.list"
	apt_options=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o APT::Sandbox::User=
		-o Acquire::Languages=none -o APT::Architectures::=amd64)
	apt-get -q "${apt_options[@]}" update >"$dir/log" 2>&1
}

# kernel_download NAME DIR: finds and downloads image and headers into DIR; sets kernel_version.
# The machine's own apt is asked first (it may know a mirror), then Debian's archive directly.
kernel_download() {
	local name=$1 dir=$2 suites apt_options=()
	case $name in
	sid) suites=sid ;;
	*) suites="host bookworm+bookworm-security+bookworm-backports" ;;
	esac
	for suite in $suites; do
		apt_options=(-o APT::Sandbox::User=)
		if [ "$suite" != host ]; then
			# shellcheck disable=SC2086
			kernel_archive ${suite//+/ } || continue
		fi
		kernel_version=$(kernel_newest "$name" "${apt_options[@]}") || continue
		(cd "$dir" && kernel_packages "${apt_options[@]}" |
			xargs -r apt-get -q "${apt_options[@]}" download) >"$dir/log" 2>&1 && return 0
	done
	kernel_error "$name" "no package to be had from Debian's archive (see apt-get update)"
}

# kernel_packages APT-OPTION...: the packages of kernel_version, headers and their tools included.
# From 7.x on, the image is split into parts of its own.
kernel_packages() {
	echo "linux-image-$kernel_version"
	echo "linux-headers-$kernel_version"
	apt-cache "$@" depends "linux-image-$kernel_version" "linux-headers-$kernel_version" |
		sed -nE 's/^ *Depends: (linux-headers-.*-common.*|linux-(kbuild|modules|binary|base)-[0-9].*)/\1/p'
}

# kernel_unpack DIR FINAL: unpacks the packages in DIR there; the tree will be moved to FINAL.
kernel_unpack() {
	local dir=$1 final=$2 deb root=$1/root headers modules
	mkdir "$root" || return 1
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$root" || return 1
	done
	rm -rf "$dir"/*.deb "${root:?}/usr/share"
	# Packages have modules in /lib or, from trixie on, in /usr/lib: one place for all.
	mkdir -p "$root/lib/modules" "$root/usr/lib/modules"
	cp -a --remove-destination "$root/usr/lib/modules/." "$root/lib/modules/" || return 1
	rm -rf "$root/usr/lib/modules"
	modules=$root/lib/modules/$kernel_version
	mkdir -p "$root/boot"
	[ ! -f "$modules/vmlinuz" ] || ln -sf "../lib/modules/$kernel_version/vmlinuz" \
		"$root/boot/vmlinuz-$kernel_version"
	headers=usr/src/linux-headers-$kernel_version
	# The headers' Makefile names folders by where a package would install them.
	sed -i -E "s#([ =])/usr/src/#\1$final/usr/src/#" "$root/$headers/Makefile" || return 1
	rm -f "$modules/build" "$modules/source"
	ln -s "$final/$headers" "$modules/build" || return 1
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$root" "$kernel_version" 2>/dev/null || return 1
	[ -f "$root/boot/vmlinuz-$kernel_version" ]
}

# kernel_get NAME: makes sure that a kernel of that name is unpacked; sets kernel_version.
kernel_get() {
	local name=$1 dir
	if kernel_version=$(kernel_cached "$name"); then
		return 0
	fi
	mkdir -p "$cache/kernel" || return 1
	# One at a time: whoever comes second finds it done.
	exec {kernel_lock}>"$cache/kernel/.lock"
	flock "$kernel_lock"
	if ! kernel_version=$(kernel_cached "$name"); then
		echo "vm: fetching Debian's kernel $name into $cache (about 80 MB, once)" >&2
		dir=$(mktemp -d "$cache/kernel/.new.XXXXXX") || return 1
		if kernel_download "$name" "$dir" &&
			{ kernel_unpack "$dir" "$(kernel_root "$kernel_version")" ||
				kernel_error "$name" "cannot be unpacked in $cache (is the disk full?)"; }; then
			# A version that the name led to may be there already under another name.
			[ -d "$(kernel_root "$kernel_version")" ] ||
				mv "$dir/root" "$(kernel_root "$kernel_version")"
			[ "$name" != sid ] || ln -sfn "$kernel_version" "$cache/kernel/sid"
		else
			kernel_version=
		fi
		rm -rf "$dir"
	fi
	exec {kernel_lock}>&-
	[ -n "$kernel_version" ]
}

# kernel_headers: prints the folder of kernel_version's headers.
kernel_headers() {
	echo "$(kernel_root "$kernel_version")/usr/src/linux-headers-$kernel_version"
}

# kernel_compiler: sets toolchain to where the compiler is that modules of kernel_version want, the
# one of the Debian release that they come from: empty: it is installed here.
kernel_compiler() {
	local compiler
	toolchain=
	compiler=$(sed -nE 's/^CC = .*\b(gcc-[0-9]+).*/\1/p' "$(kernel_headers)/.kernelvariables")
	[ -z "$compiler" ] || command -v "$compiler" >/dev/null || toolchain_get "$compiler" ||
		kernel_error "$kernel_version" "its modules want $compiler"
}

# kernel_build DIR MAKEFILE [VARIABLE=VALUE]...: builds a module for kernel_version in DIR, by a
# Makefile like kmod's; 77 if there is no compiler for it.
kernel_build() {
	local dir=$1 makefile=$2 make=make
	shift 2
	kernel_compiler || return 77
	mkdir -p "$dir" || return 1
	if [ -n "$toolchain" ]; then
		make=$dir/toolchain
		toolchain_script "$make" "$(kernel_root "$kernel_version")" "$dir" || return 1
		make+=" make"
	fi
	make -f "$makefile" BUILD="$dir" KDIR="$(kernel_headers)" KMAKE="$make" "$@" modules
}

# kernel_initrd INIT: prints the initrd of kernel_version whose init is the file INIT, made once:
# busybox and the modules that reach the host's root.
kernel_initrd() {
	local init=$1 root initrd dir module
	root=$(kernel_root "$kernel_version")
	initrd=$root/initrd-$(cat "$init" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
	if [ ! -s "$initrd" ]; then
		dir=$(mktemp -d "$root/.initrd.XXXXXX") || return 1
		mkdir "$dir/tree" "$dir/tree/bin" "$dir/tree/modules"
		cp "$(command -v busybox)" "$dir/tree/bin/busybox"
		cp "$init" "$dir/tree/init"
		chmod 755 "$dir/tree/init"
		for module in virtio_pci 9pnet_virtio 9p overlay virtio_net; do
			PATH=$PATH:/sbin:/usr/sbin modprobe -d "$root" -S "$kernel_version" --show-depends "$module" 2>/dev/null
		done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
			kernel_module "$module" "$dir/tree/modules" >>"$dir/tree/modules/order" || exit 1
		done &&
			(cd "$dir/tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$dir/initrd" &&
			rm -f "$root"/initrd-* && mv "$dir/initrd" "$initrd"
		rm -rf "$dir"
	fi
	[ -s "$initrd" ] && echo "$initrd"
}

# kernel_module FILE DIR: unpacks a module into DIR, prints its name.
kernel_module() {
	local name=${1##*/}
	case $name in
	*.xz) name=${name%.xz} && xz -dc "$1" >"$2/$name" ;;
	*.zst) name=${name%.zst} && zstd -qdc "$1" >"$2/$name" ;;
	*) cp "$1" "$2/$name" ;;
	esac && echo "$name"
}
