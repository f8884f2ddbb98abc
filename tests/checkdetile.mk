# checkdetile: every kernel of detile/ against the per-pixel oracle.
check_PROGRAMS += checkdetile
TESTS += checkdetile
checkdetile_SOURCES = tests/checkdetile.c tests/checkdetile.h tests/checkdetile_case.c \
	tests/checkdetile_mutant.c
checkdetile_LDADD = libdetile.a
