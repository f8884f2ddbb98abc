#!/bin/sh
# checkdetile under valgrind, which sees reads of what nobody wrote. It has no AVX-512 and says so
# by its CPUID; the mutants ran elsewhere.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
command -v valgrind >/dev/null || {
	echo "SKIP: no valgrind (apt-get install valgrind)"
	exit 77
}
if nm ./checkdetile | grep -q __asan_init; then
	echo "SKIP: checkdetile is built with a sanitizer, which valgrind cannot run"
	exit 77
fi
timeout 300 valgrind -q --error-exitcode=9 --track-origins=no ./checkdetile --no-mutants \
	--rounds "${CHECKDETILE_ROUNDS:-1}"
