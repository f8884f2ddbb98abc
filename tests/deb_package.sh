#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages as a stranger gets them: built from the tarball of a build, looked at by
# lintian, installed in a Debian 12 that was made for it, used there by an ordinary user, purged.
# usage: deb_package.sh BUILD-FOLDER     (exit code 77: no such Debian can be made here)
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/scripts/lib/debian.sh"

if ! reason=$(debian_possible 2>&1); then
	echo "SKIP: ${reason#debian: }"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/planecast-deb.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
passed=0

# check WHAT COMMAND...: the test ends with the first that fails.
check() {
	local what=$1
	shift
	if ! "$@"; then
		echo "FAIL: $what"
		exit 1
	fi
	echo "ok: $what"
	passed=$((passed + 1))
}

# Whether a grep without a match is right.
no() {
	! "$@"
}

# --- From the tarball to packages.
make -s -C "$1" dist >&2 || exit 1
tar -x -f "$1"/planecast-*.tar.xz -C "$work" || exit 1
bash "$work"/planecast-*/scripts/build-deb --lint --check "$work/deb"
code=$?
[ $code != 77 ] || { echo "SKIP: see above" && exit 77; }
[ $code = 0 ] || cat "$work/deb/log"
check "the packages build with their tests, lintian finds no error" [ $code = 0 ]
check "the unit tests ran in it" grep -qE '^# PASS: +[1-9][0-9]' "$work/deb/log"
version=$(sed -nE 's/^AC_INIT.*\[([0-9.]+)\].*/\1/p' "$top/configure.ac")
check "configure.ac, dkms.conf and changelog have one version" \
	[ -f "$work/deb/mplane-dkms_${version}_all.deb" ]
packages=("$work"/deb/planecast_"$version"_*.deb "$work"/deb/mplane-dkms_*.deb)

# --- Into a fresh Debian that has what they depend on.
room=$work/room
if ! debian_make "$room"; then
	echo "SKIP: no Debian 12 to be had (see above)"
	exit 77
fi
# The versions of Debian's headers change: the newest of the release.
debian_in "$room" apt-get -q update >&2 || exit 1
# Without alternatives and versions.
mapfile -t needs < <(for package in "${packages[@]}"; do
	dpkg-deb -f "$package" Depends | tr ',' '\n' | sed 's/^ *//;s/[ (|].*//' | grep .
done)
debian_install "$room" "${needs[@]}" linux-headers-amd64 >&2 || exit 1
# depmod writes beside every kernel that DKMS builds for: that is not the package's doing.
debian_in "$room" sh -c 'useradd -m stranger && for kernel in /lib/modules/*; do depmod "${kernel##*/}"; done' || exit 1

# What lies in it, but what dpkg and its kin note for themselves.
files() {
	(cd "$room" && find . -xdev ! -path './var/lib/dpkg/*' ! -path './var/log/*' ! -path './var/cache/*' \
		! -path './home/*' ! -path './tmp/*' -printf '%p %y %m %l\n' | sort)
}

files >"$work/before"
cp "${packages[@]}" "$room/tmp" || exit 1
check "they install with what they name as dependencies" \
	debian_in "$room" sh -c 'dpkg --install /tmp/*.deb' >&2
files >"$work/installed"

as_stranger() {
	debian_in "$room" setpriv --reuid stranger --regid stranger --clear-groups env \
		HOME=/home/stranger sh -c "cd || exit; $1"
}

check "an ordinary user takes a screenshot" as_stranger 'planecast screenshot sim: -o x.png'
check "of a picture" [ "$(head -c 8 "$room/home/stranger/x.png" | od -An -tx1)" = " 89 50 4e 47 0d 0a 1a 0a" ]
check "and is served one" as_stranger 'planecast serve sim: --vnc unix:vnc --control none 2>log & server=$!
	for turn in $(seq 600); do
		! grep -q listening log || break
		sleep 0.1
	done
	kill $server && wait $server && grep "listening on unix:vnc" log' >&2
check "the page for the program is there" [ -f "$room/usr/share/man/man1/planecast.1.gz" ]
check "the page for the module is there" [ -f "$room/usr/share/man/man4/mplane.4.gz" ]
check "so are the units" [ -f "$room/lib/systemd/system/planecast@.service" ]
check "which nobody has enabled" no grep -q 'systemd/system/.*wants/planecast' "$work/installed"
check "dkms built the module for the kernel whose headers are there" \
	grep -qE '^\./(usr/)?lib/modules/[^ ]*/mplane\.ko' "$work/installed"

# --- And away, with what they make when they run.
mkdir -p "$room/var/lib/planecast" "$room/etc/planecast" &&
	echo secret >"$room/etc/planecast/x.password" && : >"$room/var/lib/planecast/certificate.pem"
check "they can be purged" debian_in "$room" dpkg --purge planecast mplane-dkms >&2
files >"$work/after"
if ! diff "$work/before" "$work/after"; then
	echo "FAIL: the packages leave something behind, or take something away (see above)"
	exit 1
fi
check "nothing is left of them" no grep -E 'planecast|mplane' "$work/after"
echo "deb_package: $passed passed, 0 failed"
