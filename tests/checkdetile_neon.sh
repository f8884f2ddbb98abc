#!/bin/sh
# checkdetile with the NEON kernels, built by a cross compiler and run under qemu-user.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
top=${srcdir:-$(dirname "$0")/..}
for tool in aarch64-linux-gnu-gcc qemu-aarch64-static; do
	command -v "$tool" >/dev/null || {
		echo "SKIP: no $tool (apt-get install gcc-aarch64-linux-gnu qemu-user-static)"
		exit 77
	}
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

make -C "$top/detile" O="$out" CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar \
	CFLAGS="-O2 -Wall -Wextra -Werror" >"$out/log" 2>&1 || {
	cat "$out/log"
	exit 1
}
aarch64-linux-gnu-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror -I"$top" -o "$out/checkdetile" \
	"$top"/tests/checkdetile.c "$top"/tests/checkdetile_case.c \
	"$top"/tests/checkdetile_mutant.c "$out/libdetile.a"
timeout 300 qemu-aarch64-static "$out/checkdetile" --rounds "${CHECKDETILE_ROUNDS:-2}"
