/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "palette.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/* 256 triplets; the .act form may add a count and the transparent one's index, 2 bytes each. */
#define FILE_BYTES ((size_t)PALETTE_COLOURS * 3)
#define MORE_BYTES 4

static void set_grey(uint32_t *colours)
{
	for (uint32_t i = 0; i < PALETTE_COLOURS; i++)
		colours[i] = i * 0x010101u;
}

static void set_rgb332(uint32_t *colours)
{
	for (uint32_t i = 0; i < PALETTE_COLOURS; i++)
		colours[i] = (i >> 5) * 255 / 7 << 16 | (i >> 2 & 7) * 255 / 7 << 8 |
			     (i & 3) * 255 / 3;
}

static int read_file(const char *path, uint32_t *colours, GError **error)
{
	uint8_t bytes[FILE_BYTES + MORE_BYTES + 1];
	FILE *file = fopen(path, "re");
	size_t size;
	int errnum;

	if (!file)
		return fail(error, exit_code_of_file(errno), errno, "palette %s: %s", path,
			    g_strerror(errno));
	errno = 0;
	size = fread(bytes, 1, sizeof(bytes), file);
	errnum = ferror(file) ? errno : 0;
	fclose(file);
	if (errnum)
		return fail(error, exit_code_of_file(errnum), errnum, "palette %s: %s", path,
			    g_strerror(errnum));
	if (size != FILE_BYTES && size != FILE_BYTES + MORE_BYTES)
		return fail(error, EXIT_USAGE, EINVAL,
			    "palette %s: not 256 colours of 3 bytes (give grey, rgb332 or a file "
			    "of 768 bytes)",
			    path);
	for (size_t i = 0; i < PALETTE_COLOURS; i++)
		colours[i] = (uint32_t)bytes[3 * i] << 16 | (uint32_t)bytes[3 * i + 1] << 8 |
			     bytes[3 * i + 2];
	return 0;
}

int palette_get(const char *name, uint32_t colours[PALETTE_COLOURS], GError **error)
{
	if (!strcmp(name, "grey"))
		set_grey(colours);
	else if (!strcmp(name, "rgb332"))
		set_rgb332(colours);
	else if (!*name)
		return fail(error, EXIT_USAGE, EINVAL,
			    "no palette given (give grey, rgb332 or a file of 768 bytes)");
	else
		return read_file(name, colours, error);
	return 0;
}
