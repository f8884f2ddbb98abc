#!/bin/sh
# detile_bench: its JSON has what it promises, its plot is one, and it refuses what it does not know.
# Figures are not judged.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
bench=./bench/detile_bench
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$bench" --json --plot "$out/plot.svg" --rounds 1 --size 1920x1080 --state l2 --layout linear,x,y,yf,4 \
	--isa c,sse41,avx2 >"$out/rows.json" 2>/dev/null
python3 - "$out" <<'END'
import json
import sys
import xml.dom.minidom

rows = json.load(open(sys.argv[1] + "/rows.json"))
assert {r["layout"] for r in rows} == {"linear", "x", "y", "yf", "4"}
assert {r["path"] for r in rows} == {"normal", "nt", "fused", "wc"}
assert {r["threads"] for r in rows} == {1, 2}
assert "c" in {r["isa"] for r in rows}
for r in rows:
    assert (r["width"], r["height"], r["state"]) == (1920, 1080, "l2"), r
    assert r["gbps"] > 0 and r["vs_memcpy"] > 0 and r["vs_limit"] > 0, r
    assert ("dirty" in r) == (r["path"] == "fused"), r
assert {r["dirty"] for r in rows if r["path"] == "fused"} == {0, 10, 100}
bars = xml.dom.minidom.parse(sys.argv[1] + "/plot.svg").getElementsByTagName("title")
assert len(bars) == len(rows)
END

for wrong in "--layout z" "--rounds 0" "--frobnicate" "extra"; do
	# shellcheck disable=SC2086 # options and their values
	if "$bench" --rounds 1 $wrong >/dev/null 2>&1; then
		echo "detile_bench accepts $wrong"
		exit 1
	fi
done
if "$bench" --rounds 1 --size 1920x1080 --state l2 --layout y --path nt --plot /no/folder/x.svg \
	>/dev/null 2>&1; then
	echo "detile_bench does not notice that its plot cannot be written"
	exit 1
fi
echo "detile_bench prints what its README says"
