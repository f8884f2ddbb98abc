/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pictures "video", "movie" and "film" of pattern.h. */
#ifndef PATTERN_VIDEO_H
#define PATTERN_VIDEO_H

#include "brush.h"
#include "pattern.h"

void video_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush);
void movie_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush);
void film_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush);

/* The boxes, not clipped, in which two frames differ; returns how many. */
unsigned int movie_damage(const struct pattern *pattern, struct box boxes[PATTERN_MAX_RECTS]);

#endif
