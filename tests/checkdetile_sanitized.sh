#!/bin/sh
# checkdetile built with AddressSanitizer and UndefinedBehaviorSanitizer.
# The mutants, which say nothing new here, are left to the plain program.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
top=${srcdir:-$(dirname "$0")/..}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"

echo 'int main(void) { return 0; }' >"$out/try.c"
cc $flags -o "$out/try" "$out/try.c" 2>/dev/null && "$out/try" || {
	echo "SKIP: cc has no sanitizers"
	exit 77
}
make -C "$top/detile" O="$out" CFLAGS="$flags" >"$out/log" 2>&1 || {
	cat "$out/log"
	exit 1
}
cc -std=gnu11 $flags -I"$top" -o "$out/checkdetile" "$top"/tests/checkdetile.c \
	"$top"/tests/checkdetile_case.c "$top"/tests/checkdetile_mutant.c "$out/libdetile.a"
timeout 300 "$out/checkdetile" --no-mutants --rounds "${CHECKDETILE_ROUNDS:-4}"
