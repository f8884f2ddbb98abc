# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034 # the lists are used by name
# The Debian packages that each job needs, and how they come onto the machine. Sourced.

# Building the program.
packages_build="gcc libc6-dev make autoconf automake pkg-config libglib2.0-dev libjson-glib-dev
libpixman-1-dev libvncserver-dev libpng-dev zlib1g-dev libgnutls28-dev libdrm-dev
libcap-ng-dev libcrypt-dev libisal-dev libpam0g-dev libseccomp-dev libsoup-3.0-dev libspice-server-dev libturbojpeg0-dev
libxkbcommon-dev xkb-data"

# Testing it: the other compilers, libFuzzer (with llvm's symbolizer for its stacks), cmocka, stock
# viewers, a browser, QEMU with what its machine and its guests are made of, and checkers of kernel code.
packages_test="clang clang-format libclang-rt-14-dev llvm edid-decode shellcheck mandoc strace systemd valgrind libcmocka-dev python3 gvncviewer
tigervnc-viewer vncsnapshot ssvnc libjpeg-turbo-progs xclip spice-client-gtk virt-viewer gir1.2-spiceclientglib-2.0 python3-gi xvfb x11-apps xdotool
chromium novnc python3-yaml whois
gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
qemu-system-x86 seabios ovmf sparse coccinelle dkms debootstrap busybox-static cpio kmod xz-utils debian-archive-keyring libelf1
libvirt-daemon-system libvirt-clients mdevctl"

# Measuring it next to others; serve_bench does with what there is.
packages_bench="libigdgmm-dev libxcb-shm0-dev tigervnc-standalone-server x11vnc xvfb wayvnc sway xwayland"

# Showing it.
packages_demo=""

# packages_missing GROUP...: what is not installed, one a line.
packages_missing() {
	local group list wanted=()
	for group; do
		list=packages_$group
		# shellcheck disable=SC2206
		wanted+=(${!list})
	done
	[ ${#wanted[@]} -eq 0 ] ||
		comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(packages_installed | sort -u)
}

packages_installed() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p'
}

# packages_install GROUP...: installs what is missing; silent if nothing is. One line on failure.
packages_install() {
	local missing log as_root=()
	if ! command -v apt-get >/dev/null; then
		echo "setup: this is no Debian (install by hand what scripts/lib/packages.sh names)" >&2
		return 1
	fi
	missing=$(packages_missing "$@" | tr '\n' ' ')
	missing=${missing% }
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "setup: packages are missing (as root: apt-get install $missing)" >&2
			return 1
		fi
		as_root=(sudo)
	fi
	echo "setup: installing $(wc -w <<<"$missing") packages from Debian: $missing" >&2
	log=$(mktemp "${TMPDIR:-/tmp}/planecast-setup.XXXXXX") || return 1
	# The lists may be missing or old: they are fetched anew when a package cannot be had.
	# shellcheck disable=SC2086
	if packages_apt install $missing >"$log" 2>&1 ||
		{ packages_apt update && packages_apt install $missing; } >>"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	echo "setup: apt-get failed: $(grep -m1 '^E:' "$log") (see $log)" >&2
	return 1
}

packages_apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=120 --no-install-recommends "$@" </dev/null
}
