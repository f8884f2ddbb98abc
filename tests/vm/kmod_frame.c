/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmod_frame PATTERN SEED WIDTH HEIGHT FRAME [LAYOUT [FORMAT STRIDE]]: what a device's scanout
 * holds then, on stdout: XRGB8888, linear and without padding if not said otherwise. Tiled pixel by
 * pixel, with the oracle of detile/, and converted by other code than the module's.
 */
#include "detile/layout.h"
#include "kmod/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct format {
	const char *name;
	unsigned int cpp;
	unsigned int bits[3], shift[3]; /* red, green, blue */
};

static const struct format formats[] = {
	{"XR24", 4, {8, 8, 8}, {16, 8, 0}},
	{"XR30", 4, {10, 10, 10}, {20, 10, 0}},
	{"RG16", 2, {5, 6, 5}, {11, 5, 0}},
	{"C8", 1, {3, 3, 2}, {5, 2, 0}},
};

static const char *const layouts[] = {"linear", "x", "y", "yf", "4"};

static uint32_t convert(const struct format *format, uint32_t pixel)
{
	uint32_t out = 0;

	for (int c = 0; c < 3; c++) {
		uint32_t value = pixel >> (16 - 8 * c) & 0xff;

		/* Twice the value side by side, then as many bits as are wanted. */
		value = (value << 8 | value) >> (16 - format->bits[c]);
		out |= value << format->shift[c];
	}
	return out;
}

static int usage(void)
{
	fputs("usage: kmod_frame PATTERN SEED WIDTH HEIGHT FRAME [LAYOUT [FORMAT STRIDE]]\n",
	      stderr);
	return 2;
}

static int print(const struct pattern *pattern, uint64_t frame, enum detile_layout layout,
		 const struct format *format, uint32_t stride)
{
	size_t size = detile_size(layout, format->cpp, stride, pattern->height);
	uint32_t *row = calloc(pattern->width, sizeof(*row));
	unsigned char *data = size ? calloc(1, size) : NULL;
	int code = 1;

	for (uint32_t y = 0; row && data && y < pattern->height; y++) {
		pattern_row(pattern, frame, y, 0, pattern->width, row);
		for (uint32_t x = 0; x < pattern->width; x++) {
			uint32_t pixel = convert(format, row[x]);

			memcpy(data + detile_offset(layout, DETILE_SWIZZLE_NONE, format->cpp,
						    stride, x, y),
			       &pixel, format->cpp);
		}
	}
	if (row && data && fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0)
		code = 0;
	free(data);
	free(row);
	return code;
}

int main(int argc, char **argv)
{
	struct pattern pattern = {0};
	unsigned int layout = 0, format = 0;
	uint32_t stride;
	int kind;

	if (argc != 6 && argc != 7 && argc != 9)
		return usage();
	kind = pattern_kind_from_name(argv[1]);
	pattern.seed = strtoul(argv[2], NULL, 10);
	pattern.width = strtoul(argv[3], NULL, 10);
	pattern.height = strtoul(argv[4], NULL, 10);
	while (argc > 6 && layout < DETILE_LAYOUTS && strcmp(layouts[layout], argv[6]))
		layout++;
	while (argc > 7 && format < 4 && strcmp(formats[format].name, argv[7]))
		format++;
	if (kind < 0 || layout == DETILE_LAYOUTS || format == 4 || !pattern.width)
		return usage();
	pattern.kind = kind;
	stride = argc > 8 ? strtoul(argv[8], NULL, 10) : pattern.width * formats[format].cpp;
	return print(&pattern, strtoull(argv[5], NULL, 10), layout, &formats[format], stride);
}
