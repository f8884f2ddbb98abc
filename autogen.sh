#!/bin/sh
# Makes ./configure from a fresh checkout.
# SPDX-License-Identifier: GPL-2.0-or-later
set -e
cd "$(dirname "$0")"
command -v autoreconf >/dev/null || {
	echo "autogen.sh: autoreconf is missing (apt-get install autoconf automake libtool)" >&2
	exit 1
}
autoreconf --install --warnings=all,no-obsolete
