/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pictures "typing" and "scroll" of pattern.h. */
#ifndef PATTERN_TEXT_H
#define PATTERN_TEXT_H

#include "brush.h"
#include "pattern.h"

void typing_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush);
void scroll_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush);

/* The boxes, not clipped, in which frame - 1 and frame can differ; returns how many. */
unsigned int typing_damage(const struct pattern *pattern, uint32_t frame,
			   struct box boxes[PATTERN_MAX_RECTS]);
unsigned int scroll_damage(const struct pattern *pattern, struct box boxes[PATTERN_MAX_RECTS]);

#endif
