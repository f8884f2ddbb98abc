# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Folders with a Debian 12 of their own, made by debootstrap and entered by chroot: for building
# packages with nothing but what they ask for, and for installing them. Sourced.

debian_cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/planecast/debian
debian_mirror=http://deb.debian.org/debian

debian_error() {
	echo "debian: $1" >&2
	return 1
}

# debian_possible: whether folders can be made here; one line if not.
debian_possible() {
	[ "$(id -u)" = 0 ] || debian_error "only root can make a folder with a Debian of its own" || return
	PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null ||
		debian_error "debootstrap is missing (apt-get install debootstrap)"
}

# debian_make FOLDER: a minimal Debian 12 in FOLDER, which is empty or new. Packages that were
# fetched once are kept.
debian_make() {
	debian_possible || return
	mkdir -p "$1" "$debian_cache/packages" && chmod 755 "$1" || return
	exec {debian_lock}>"$debian_cache/.lock"
	flock "$debian_lock"
	PATH=$PATH:/usr/sbin debootstrap --variant=minbase --cache-dir="$debian_cache/packages" \
		bookworm "$1" "$debian_mirror" >"$debian_cache/log" 2>&1 {debian_lock}>&-
	local code=$?
	exec {debian_lock}>&-
	[ $code = 0 ] || debian_error "debootstrap: $(tail -n 1 "$debian_cache/log") (see $debian_cache/log)"
}

# debian_in FOLDER COMMAND...: runs a command there, as root, with the environment of a new login;
# its mounts and whatever it leaves running are gone when it ends.
debian_in() {
	local folder=$1
	shift
	# shellcheck disable=SC2016 # its own arguments
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private \
		sh -c 'set -e; folder=$1; archives=$2; shift 2
		mount -t proc proc "$folder/proc"
		mount -t tmpfs -o mode=1777 shm "$folder/dev/shm"
		mount --bind "$archives" "$folder/var/cache/apt/archives"
		cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
		exec chroot "$folder" env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' \
		debian "$folder" "$debian_cache/packages" "$@" </dev/null
}

# debian_install FOLDER PACKAGE...: installs from the archive, without what is only recommended.
debian_install() {
	local folder=$1
	shift
	debian_in "$folder" apt-get -q -y -o Dpkg::Use-Pty=0 -o APT::Keep-Downloaded-Packages=true \
		--no-install-recommends install "$@"
}

# debian_room NAME PACKAGE...: sets room to a folder of that name which has these packages; made
# once for each list of packages, then kept.
debian_room() {
	local name=$1 dir
	shift
	debian_possible || return
	room=$debian_cache/$name-$(printf '%s\n' "$@" | sort | sha256sum | cut -c1-16)
	[ ! -d "$room" ] || return 0
	mkdir -p "$debian_cache" || return
	exec {room_lock}>"$debian_cache/.$name.lock"
	flock "$room_lock"
	if [ ! -d "$room" ]; then
		echo "debian: making a folder with a Debian 12 to build in, in $debian_cache (1.6 GB, once)" >&2
		dir=$(mktemp -d "$debian_cache/.new.XXXXXX") && debian_make "$dir" &&
			debian_room_fill "$dir" "$@" >"$debian_cache/log" 2>&1 {room_lock}>&- &&
			rm -rf "$debian_cache/$name"-* && mv "$dir" "$room"
		rm -rf "$dir"
	fi
	exec {room_lock}>&-
	[ -d "$room" ] || debian_error "$name: no folder with its packages (see $debian_cache/log)"
}

debian_room_fill() {
	local dir=$1
	shift
	debian_in "$dir" apt-get -q update && debian_install "$dir" "$@" && debian_in "$dir" useradd -m builder
}

# debian_tree TOP: a tar of the tree's files, without what was built in it.
debian_tree() {
	cd "$1" || return 1
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
			[ ! -f "$file" ] || printf '%s\0' "$file"
		done | tar --null -c -T -
	else
		tar -c --exclude=./build . # an unpacked tarball
	fi
}
