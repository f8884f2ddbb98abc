/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capture: brings a plane's pixels into a frame, whatever their tiling and format, and says which
 * cells changed. One pass over the plane; main thread (or any one thread at a time).
 */
#ifndef PLANECAST_CAPTURE_H
#define PLANECAST_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "damage.h"
#include "frame.h"
#include "plane.h"

struct capture;

/* -ENOMEM. */
int capture_create(struct capture **capture);
void capture_destroy(struct capture *capture); /* takes NULL */

/*
 * Reads the plane (which plane_validate() accepted, of the frame's size) where limit has cells,
 * everywhere if limit is NULL. Cells that differ are written to the frame and added to changed.
 * 0; -EFAULT: the plane's memory went away, the frame may hold a part; -ENOMEM.
 */
int capture_pass(struct capture *capture, const struct plane *plane, const struct damage *limit,
		 struct frame *frame, struct damage *changed);

/*
 * A cheap look at a plane that rests: whether it differs from the frame, in every eighth row, of
 * which pass (counted by the caller) says which: detile_probe() has the bound. Writes nothing.
 * 0; -ENOTSUP: pixels of this format are not the frame's, only a pass can tell; -EFAULT; -ENOMEM.
 */
int capture_probe(struct capture *capture, const struct plane *plane, const struct frame *frame,
		  uint32_t pass, bool *differs);

/* What a failure means, for people. */
const char *capture_strerror(int ret);

/* Bytes of planes read so far. */
uint64_t capture_bytes_read(const struct capture *capture);

#endif
