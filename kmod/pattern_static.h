/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture "static" of pattern.h: a test card. */
#ifndef PATTERN_STATIC_H
#define PATTERN_STATIC_H

#include "brush.h"
#include "pattern.h"

void static_row(const struct pattern *pattern, const struct brush *brush);

#endif
