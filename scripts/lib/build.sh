# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Building into a folder of one's own. Sourced.

# build FOLDER LOG [CONFIGURE-ARGUMENT]...: brings a build up to date; one line on failure. Runs
# autogen.sh and configure only where they have never run: make notices what changed since.
build() {
	local folder=$1 log=$2 top
	top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
	shift 2
	mkdir -p "$folder" "$(dirname "$log")" || return 1
	if [ -f "$top/config.status" ]; then
		echo "build: the source tree itself is configured (run make distclean in it)" >&2
		return 1
	fi
	{
		{ [ -x "$top/configure" ] && [ -f "$top/Makefile.in" ]; } || "$top/autogen.sh"
	} >"$log" 2>&1 &&
		(cd "$folder" && { [ -f Makefile ] || "$top/configure" "$@"; } &&
			make -j "$(nproc)") >>"$log" 2>&1 && return 0
	echo "build: $(grep -m1 -iE 'error|not found|No rule' "$log") (see $log)" >&2
	return 1
}
