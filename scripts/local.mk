# scripts/: what a developer or CI runs from a checkout; scripts/lib/ is what they share.
EXTRA_DIST += scripts/vm scripts/lib/kernel.sh scripts/lib/vm-init
