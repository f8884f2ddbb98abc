#!/bin/sh
# detile/ builds alone, and the example of its README compiles and runs against that library.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
detile=${srcdir:-$(dirname "$0")/..}/detile
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-std=gnu11 -O2 -Wall -Wextra -Werror"

make -C "$detile" O="$out" CFLAGS="-O2 -Wall -Wextra -Werror" >"$out/log" 2>&1 || {
	cat "$out/log"
	exit 1
}

# The first block of C in the README, and a main() around it.
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$detile/README.md" \
	>"$out/example.c"
grep -q detile_compare "$out/example.c"
cat >"$out/main.c" <<'END'
#include "example.c"
#include <stdlib.h>
#include <string.h>
int main(void)
{
	size_t size = (size_t)7680 * 1088;
	uint8_t *tiled = malloc(size), *linear = calloc(1, size);
	uint64_t changed[34] = {0};

	memset(tiled, 7, size);
	if (copy_frame(tiled, size, linear, changed) != 30 * 34 || changed[33] != 0x3fffffff)
		return 1;
	if (copy_frame(tiled, size, linear, changed) || copy_frame(tiled, 100, linear, changed) != -1)
		return 1;
	return memcmp(tiled, linear, (size_t)7680 * 1080) != 0;
}
END
cc $flags -I"$detile" -o "$out/example" "$out/main.c" "$out/libdetile.a"
"$out/example"

# The two files of plain C, without the makefile.
cat >"$out/two.c" <<'END'
#include "detile.h"
int main(void)
{
	struct detile table;

	detile_init(&table, 0);
	return table.isa[0] != 'c';
}
END
cc $flags -I"$detile" -o "$out/two" "$out/two.c" "$detile/detile.c" "$detile/layout.c"
"$out/two"
echo "detile builds alone, and its README's example does what it says"
