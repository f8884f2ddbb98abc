/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture "desktop" of pattern.h. */
#ifndef PATTERN_DESKTOP_H
#define PATTERN_DESKTOP_H

#include "brush.h"
#include "pattern.h"

void desktop_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush);

/* The boxes, not clipped, in which frame - 1 and frame can differ; returns how many. */
unsigned int desktop_damage(const struct pattern *pattern, uint32_t frame,
			    struct box boxes[PATTERN_MAX_RECTS]);

#endif
