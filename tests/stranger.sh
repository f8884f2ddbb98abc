#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# README's first command as a stranger types it: a fresh copy of the tree in a Debian 12 that was made
# for it and has nothing else, scripts/demo, a viewer, Ctrl-C.
# usage: stranger.sh     (exit code 77: no such Debian can be made here)
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/scripts/lib/debian.sh"

if ! reason=$(debian_possible 2>&1); then
	echo "SKIP: ${reason#debian: }"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/planecast-stranger.XXXXXX") || exit 1
demo=''
# shellcheck disable=SC2317 # by trap
cleanup() {
	[ -z "$demo" ] || kill -KILL "$demo" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
room=$work/room
if ! debian_make "$room"; then
	echo "SKIP: no Debian 12 to be had (see above)"
	exit 77
fi
mkdir "$room/planecast" && (debian_tree "$top") | tar -x -C "$room/planecast" || exit 1

fail() {
	cat "$work/said"
	echo "FAIL: $1"
	exit 1
}

# Any port: another one may be taken here. The room shares this machine's network.
debian_in "$room" sh -c 'cd /planecast && exec ./scripts/demo --vnc 127.0.0.1:auto' 2>"$work/said" &
demo=$!
# Longer than packages and a build can take.
for ((turn = 0; turn < 18000; turn++)); do
	kill -0 $demo 2>/dev/null || fail "the demo ended"
	! grep -q '^demo: look at it with: ' "$work/said" || break
	sleep 0.1
done
cat "$work/said"
address=$(sed -nE 's/^demo: look at it with: vncviewer ([0-9.]+)::([0-9]+) .*/\1:\2/p' "$work/said")
[ -n "$address" ] || fail "it said no address"
PYTHONPATH=$top/tests python3 - "$address" <<'P' || fail "its screen is not there"
import sys
from lib import rfb
with rfb.Client(sys.argv[1], timeout=60) as client:
    client.update(incremental=False)
    colours = client.picture().colours()
    print(f"{client.width}x{client.height}, {colours} colours")
    sys.exit(colours < 16)
P
echo "stranger: a screen at $address"
