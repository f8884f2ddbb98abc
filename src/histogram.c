/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "histogram.h"

#include "member.h"

void histogram_add(struct histogram *histogram, int64_t us)
{
	unsigned int bucket = 0;

	if (us < 0)
		us = 0;
	if (us)
		bucket = 64 - (unsigned int)__builtin_clzll((unsigned long long)us);
	if (bucket >= HISTOGRAM_BUCKETS)
		bucket = HISTOGRAM_BUCKETS - 1;
	histogram->buckets[bucket]++;
	histogram->count++;
	histogram->sum_us += (uint64_t)us;
	if (us > histogram->max_us)
		histogram->max_us = us;
}

void histogram_describe(const struct histogram *histogram, JsonBuilder *json, const char *name)
{
	unsigned int used = HISTOGRAM_BUCKETS;

	while (used && !histogram->buckets[used - 1])
		used--;
	member_object(json, name);
	member_int(json, "count", (gint64)histogram->count);
	member_int(json, "sum_us", (gint64)histogram->sum_us);
	member_int(json, "max_us", histogram->max_us);
	member_array(json, "log2_us");
	for (unsigned int i = 0; i < used; i++)
		json_builder_add_int_value(json, (gint64)histogram->buckets[i]);
	json_builder_end_array(json);
	json_builder_end_object(json);
}
