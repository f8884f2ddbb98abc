# checkdetile: every kernel of detile/ against the per-pixel oracle.
check_PROGRAMS += checkdetile
TESTS += checkdetile
checkdetile_SOURCES = tests/checkdetile.c tests/checkdetile.h tests/checkdetile_case.c \
	tests/checkdetile_mutant.c
checkdetile_LDADD = libdetile.a

# The same under other compilers, machines and checkers; each skips what is not installed.
checkdetile_scripts = tests/checkdetile_alone.sh tests/checkdetile_neon.sh \
	tests/checkdetile_sanitized.sh tests/checkdetile_valgrind.sh tests/checkdetile_bench.sh
TESTS += $(checkdetile_scripts)
EXTRA_DIST += $(checkdetile_scripts)
tests/checkdetile_valgrind.log: checkdetile$(EXEEXT)
