/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmod_frame PATTERN SEED WIDTH HEIGHT FRAME: that picture on stdout, as raw XRGB8888. */
#include "kmod/pattern.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct pattern pattern = {0};
	uint32_t *row;
	int kind;

	if (argc != 6) {
		fputs("usage: kmod_frame PATTERN SEED WIDTH HEIGHT FRAME\n", stderr);
		return 2;
	}
	kind = pattern_kind_from_name(argv[1]);
	pattern.seed = strtoul(argv[2], NULL, 10);
	pattern.width = strtoul(argv[3], NULL, 10);
	pattern.height = strtoul(argv[4], NULL, 10);
	row = calloc(pattern.width, sizeof(*row));
	if (kind < 0 || !row || !pattern.width) {
		fputs("kmod_frame: unknown pattern, or no such size\n", stderr);
		free(row);
		return 2;
	}
	pattern.kind = kind;
	for (uint32_t y = 0; y < pattern.height; y++) {
		pattern_row(&pattern, strtoull(argv[5], NULL, 10), y, 0, pattern.width, row);
		if (fwrite(row, sizeof(*row), pattern.width, stdout) != pattern.width) {
			free(row);
			return 1;
		}
	}
	free(row);
	return fflush(stdout) ? 1 : 0;
}
