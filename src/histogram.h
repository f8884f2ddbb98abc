/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A histogram of times by powers of two: bucket 0 counts what took less than a microsecond, bucket
 * n from 2^(n-1) to 2^n microseconds. All zero: nothing yet.
 */
#ifndef PLANECAST_HISTOGRAM_H
#define PLANECAST_HISTOGRAM_H

#include <json-glib/json-glib.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 25u /* the last one has all from 8.4 s on */

struct histogram {
	uint64_t count, sum_us;
	int64_t max_us;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* A time below zero counts as zero. */
void histogram_add(struct histogram *histogram, int64_t us);

/*
 * The member "name": an object of count, sum_us, max_us and log2_us, the buckets up to the last one
 * that is not empty.
 */
void histogram_describe(const struct histogram *histogram, JsonBuilder *json, const char *name);

#endif
