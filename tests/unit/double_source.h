/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vfio source on the doubles: what its tests share. */
#ifndef PLANECAST_DOUBLE_SOURCE_H
#define PLANECAST_DOUBLE_SOURCE_H

#include <stdbool.h>

#include "source_vfio.h"

extern struct source *double_source;
extern unsigned int double_changes; /* calls of its changed() */

/* For cmocka; the teardown closes the source and expects that nothing is left open or ungot. */
int double_setup(void **state);
int double_teardown(void **state);

/* Counts what the source says; opened by the following, it is watched already. */
void double_watch_source(void);

/* Opens the source, or a device that nobody owns and that shows a plane by that transport. */
void double_open_source(enum source_vfio_policy policy);
void double_open_free(uint32_t transport);

/* The primary plane, without failure; look() is all three on a plane that can be read. */
struct plane double_acquire(void);
bool double_same(const struct plane *plane);
void double_release(struct plane *plane);
void double_look(void);

/* Acquiring, or opening, is refused with that errno, exit code, and words. */
void double_expect_refusal(enum plane_type type, int ret, int code, const char *words);
void double_expect_no_source(enum source_vfio_policy policy, int ret, int code, const char *words);

#endif
