#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What checkers of kernel code say of the module: compiler and sparse at their strictest, checkpatch
# and coccinelle's scripts out of Debian's linux-source-6.1, which is fetched once (139 MB). A line
# for each: PASS NAME, FAIL NAME: REASON, SKIP NAME: REASON; what they say is on stderr.
# usage: kmod_lint.sh LABEL FOLDER
set -u
label=$1 folder=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
tree=${XDG_CACHE_HOME:-${HOME:?}/.cache}/planecast/linux-source-6.1
mkdir -p "$folder" || exit 1
folder=$(cd "$folder" && pwd)
# pattern* and brush* are user space's, too: written in its types, without the kernel's macros.
mapfile -t ours < <(grep -l '#include [<"]' "$top"/kmod/*.[ch] "$top"/kmod/{compat,uapi}/*.h |
	xargs grep -LE '__KERNEL__|uint32_t')
failed=0

# verdict NAME FILE: a checker's lines, of which there should be none.
verdict() {
	if [ -s "$2" ]; then
		cat "$2" >&2
		echo "FAIL $label/$1: $(wc -l <"$2") complaints; the first: $(head -n 1 "$2" | cut -c1-200)"
		failed=1
	else
		echo "PASS $label/$1"
	fi
}

# Bytes copied to and from user space, endianness, address spaces, locks.
compile() {
	if ! command -v sparse >/dev/null; then
		echo "SKIP $label/sparse: sparse is missing (apt-get install sparse)"
		return
	fi
	rm -rf "$folder/build"
	"$top/scripts/vm" --kernel 6.1 --module "$folder/build" -- "KFLAGS=KCFLAGS=-Wextra W=1 C=2" \
		>"$folder/compile.log" 2>&1
	case $? in
	0) grep -E 'warning|error' "$folder/compile.log" >"$folder/compile" ;;
	77)
		echo "SKIP $label/sparse: $(tail -n 1 "$folder/compile.log")"
		return
		;;
	*) tail -n 5 "$folder/compile.log" >"$folder/compile" ;;
	esac
	# A checker that did not run would find nothing.
	[ "$(grep -c '^ *CHECK ' "$folder/compile.log")" -ge 20 ] ||
		echo "sparse did not look at the sources" >>"$folder/compile"
	verdict sparse "$folder/compile"
}

# source_get: the kernel's checkers in $tree.
source_get() {
	local dir
	[ ! -d "$tree/scripts/coccinelle" ] || return 0
	mkdir -p "${tree%/*}" && dir=$(mktemp -d "${tree%/*}/.source.XXXXXX") || return 1
	(
		cd "$dir" && apt-get -q -o APT::Sandbox::User= download linux-source-6.1 &&
			dpkg-deb --fsys-tarfile linux-source-6.1_*.deb |
			tar -xO ./usr/src/linux-source-6.1.tar.xz | xz -dc -T0 |
				tar -x linux-source-6.1/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch,coccinelle} &&
			rm -rf "$tree" && mv linux-source-6.1 "$tree"
	) >"$folder/source.log" 2>&1
	rm -rf "$dir"
	[ -d "$tree/scripts/coccinelle" ]
}

# Left out: what upstream's own names are like, BIT() that user space does not have, macros that
# make a function out of a name, and those that fill in a table, taken for declarations.
checkpatch() {
	cd "$folder" || exit 1 # it leaves a file behind
	perl "$tree/scripts/checkpatch.pl" --root="$tree" --no-tree --no-signoff --strict --terse \
		--no-summary --show-types --ignore CAMELCASE,BIT_MACRO,MACRO_ARG_REUSE,LINE_SPACING \
		--file "${ours[@]}" >"$folder/checkpatch.log" 2>&1
	grep -E ': (ERROR|WARNING|CHECK):' "$folder/checkpatch.log" >"$folder/checkpatch"
	# It knows what it should complain of.
	printf '// SPDX-License-Identifier: GPL-2.0\nint  x=1;\n' >"$folder/bad.c"
	perl "$tree/scripts/checkpatch.pl" --no-tree --terse --file "$folder/bad.c" 2>/dev/null |
		grep -q 'ERROR: spaces required' || echo "checkpatch does not run" >>"$folder/checkpatch"
	verdict checkpatch "$folder/checkpatch"
}

# All that finds faults without a compiler of OCaml or knowledge of other files.
coccinelle() {
	local script options
	if ! command -v spatch >/dev/null; then
		echo "SKIP $label/coccinelle: spatch is missing (apt-get install coccinelle)"
		return
	fi
	mkdir -p "$folder/ours" && cp "${ours[@]}" "$folder/ours/"
	printf '#include <linux/slab.h>\nvoid bad(int *x)\n{\n\tkfree(x);\n\t*x = 1;\n}\n' \
		>"$folder/ours/bad.c"
	grep -rl '^virtual report' "$tree/scripts/coccinelle" | grep -v ocaml | while read -r script; do
		! grep -q '^@.*script:ocaml\|initialize:ocaml' "$script" || continue
		options=$(sed -n 's,^// *Options: *,,p' "$script")
		# shellcheck disable=SC2086
		spatch -D report --very-quiet --no-show-diff --cocci-file "$script" $options \
			--dir "$folder/ours" 2>>"$folder/coccinelle.log"
	done >"$folder/coccinelle.all"
	grep -v '/bad\.c:' "$folder/coccinelle.all" | grep -E '^[^ ]+\.[ch]:[0-9]+:' >"$folder/coccinelle"
	grep -q '/bad\.c:.*ERROR' "$folder/coccinelle.all" ||
		echo "coccinelle does not find a use after free" >>"$folder/coccinelle"
	verdict coccinelle "$folder/coccinelle"
}

compile
if source_get; then
	checkpatch
	coccinelle
else
	why="no linux-source-6.1 to be had: $(tail -n 1 "$folder/source.log")"
	echo "SKIP $label/checkpatch: $why"
	echo "SKIP $label/coccinelle: $why"
fi
exit $failed
