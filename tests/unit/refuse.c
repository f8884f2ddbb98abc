/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "refuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* No act makes more requests: a loop that never ends is a fault of the test's. */
#define MAX_REQUESTS 1000u

static bool counting, refused;
static unsigned int left;
static const char *refused_call;
static unsigned int calls_left;
static int refused_errnum;
static const char *once_call;
static int once_errnum;

void refuse_after(unsigned int good)
{
	counting = true;
	refused = false;
	left = good;
}

bool refuse_end(void)
{
	counting = false;
	return refused;
}

unsigned int refuse_each(int (*act)(void *data), void *data)
{
	for (unsigned int good = 0; good < MAX_REQUESTS; good++) {
		int ret;

		refuse_after(good);
		ret = act(data);
		if (!refuse_end()) {
			assert_int_equal(ret, 0);
			return good;
		}
		if (ret != -ENOMEM)
			fail_msg("request %u refused: %d\n", good, ret);
	}
	fail_msg("more than %u requests\n", MAX_REQUESTS);
	return 0;
}

void refuse_call(const char *name, unsigned int good, int errnum)
{
	refused_call = name;
	calls_left = good;
	refused_errnum = errnum;
}

void refuse_once(const char *name, int errnum)
{
	once_call = name;
	once_errnum = errnum;
}

void refuse_no_call(void)
{
	once_call = NULL;
	refused_call = NULL;
}

bool refuse_fails(const char *call)
{
	if (once_call && !strcmp(call, once_call)) {
		once_call = NULL;
		errno = once_errnum;
		return true;
	}
	if (!refused_call || strcmp(call, refused_call) != 0)
		return false;
	if (calls_left) {
		calls_left--;
		return false;
	}
	errno = refused_errnum;
	return true;
}

bool refuse_refuses(const char *call)
{
	if (refuse_fails(call))
		return true;
	if (!counting || refused)
		return false;
	if (left) {
		left--;
		return false;
	}
	refused = true;
	errno = ENOMEM;
	return true;
}

REFUSE_WRAP(void *, malloc, (size_t size))
{
	return refuse_refuses("malloc") ? NULL : __real_malloc(size);
}

REFUSE_WRAP(void *, calloc, (size_t count, size_t size))
{
	return refuse_refuses("calloc") ? NULL : __real_calloc(count, size);
}

REFUSE_WRAP(void *, realloc, (void *memory, size_t size))
{
	return refuse_refuses("realloc") ? NULL : __real_realloc(memory, size);
}

REFUSE_WRAP(void *, reallocarray, (void *memory, size_t count, size_t size))
{
	return refuse_refuses("reallocarray") ? NULL : __real_reallocarray(memory, count, size);
}

REFUSE_WRAP(void *, aligned_alloc, (size_t alignment, size_t size))
{
	return refuse_refuses("aligned_alloc") ? NULL : __real_aligned_alloc(alignment, size);
}

REFUSE_WRAP(int, posix_memalign, (void **memory, size_t alignment, size_t size))
{
	return refuse_refuses("posix_memalign") ? errno
						: __real_posix_memalign(memory, alignment, size);
}
