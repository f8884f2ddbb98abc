/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

size_t fuzz_take(struct fuzz *fuzz, size_t most, const uint8_t **bytes)
{
	size_t size = most < fuzz->left ? most : fuzz->left;

	*bytes = fuzz->bytes;
	fuzz->bytes += size;
	fuzz->left -= size;
	return size;
}

void fuzz_fill(struct fuzz *fuzz, void *to, size_t size)
{
	const uint8_t *bytes;
	size_t got = fuzz_take(fuzz, size, &bytes);

	memset(to, 0, size);
	if (got)
		memcpy(to, bytes, got);
}

uint64_t fuzz_number(struct fuzz *fuzz, size_t bytes)
{
	uint64_t number = 0;

	fuzz_fill(fuzz, &number, bytes);
	return GUINT64_FROM_LE(number);
}

char *fuzz_line(struct fuzz *fuzz)
{
	const uint8_t *end = fuzz->left ? memchr(fuzz->bytes, '\n', fuzz->left) : NULL, *bytes;
	size_t length = fuzz_take(fuzz, end ? (size_t)(end - fuzz->bytes) : fuzz->left, &bytes);

	if (end)
		fuzz_take(fuzz, 1, &end);
	return g_strndup((const char *)bytes, length);
}

void fuzz_expect(bool holds)
{
	if (!holds)
		abort();
}

unsigned int fuzz_threads(void)
{
	struct stat tasks;

	/* A folder for each, beside "." and "..". */
	fuzz_expect(!stat("/proc/self/task", &tasks));
	return (unsigned int)tasks.st_nlink - 2;
}

void fuzz_settle(unsigned int threads)
{
	for (int i = 0; i < 20000 && fuzz_threads() > threads; i++)
		g_usleep(100);
}
