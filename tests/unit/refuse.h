/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refuses what the library asks the machine for. A test is linked with -Wl,--wrap (WITH_REFUSER in
 * local.mk; REFUSE_MEMORY for memory alone, beside the doubles), so that the library's and the
 * test's own calls arrive here; what other libraries do is theirs. One thread.
 */
#ifndef PLANECAST_REFUSE_H
#define PLANECAST_REFUSE_H

#include <stdbool.h>

/* Memory, mappings, images, descriptors: the request after so many good ones is refused. */
void refuse_after(unsigned int good);
bool refuse_end(void); /* whether one was */

/*
 * Runs act() with its first request refused, then with its second, and so on until it makes no more
 * of them. Fails the test unless it says -ENOMEM each time, and 0 in the end. How many there were.
 */
unsigned int refuse_each(int (*act)(void *data), void *data);

/* After so many good ones all calls of that name (pread, read, deflate...) fail with the errno. */
void refuse_call(const char *name, unsigned int good, int errnum);
void refuse_once(const char *name, int errnum); /* only the next one, beside the others */
void refuse_no_call(void);

/* For who stands in for a call: whether it is refused (errno is set then), or fails by its name. */
bool refuse_refuses(const char *call);
bool refuse_fails(const char *call);

/* REFUSE_WRAP(int, f, (int a)) declares the real f and begins the one that is called instead. */
#define REFUSE_WRAP(type, name, parameters) \
	type __real_##name parameters;      \
	type __wrap_##name parameters;      \
	type __wrap_##name parameters

#endif
