/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "histogram.h"

#include "unit.h"

static void test_histogram_has_a_bucket_for_each_power_of_two(void **state)
{
	static const struct {
		int64_t us;
		unsigned int bucket;
	} cases[] = {
		{-5, 0},    {0, 0},     {1, 1},     {2, 2},        {3, 2},        {4, 3},
		{1000, 10}, {1023, 10}, {1024, 11}, {8388607, 23}, {8388608, 24}, {INT64_MAX, 24},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct histogram histogram = {0};

		histogram_add(&histogram, cases[i].us);
		for (unsigned int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
			assert_int_equal(histogram.buckets[bucket], bucket == cases[i].bucket);
	}
}

static void test_histogram_describes_itself_up_to_the_last_bucket_in_use(void **state)
{
	struct histogram histogram = {0};
	JsonBuilder *json = json_builder_new();
	JsonNode *root;
	char *text;

	(void)state;
	histogram_add(&histogram, 3);
	histogram_add(&histogram, 0);
	histogram_add(&histogram, 2);
	json_builder_begin_object(json);
	histogram_describe(&histogram, json, "some");
	histogram_describe(&(struct histogram){0}, json, "none");
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	text = json_to_string(root, FALSE);
	assert_string_equal(text,
			    "{\"some\":{\"count\":3,\"sum_us\":5,\"max_us\":3,\"log2_us\":[1,0,2]},"
			    "\"none\":{\"count\":0,\"sum_us\":0,\"max_us\":0,\"log2_us\":[]}}");
	g_free(text);
	json_node_unref(root);
	g_object_unref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histogram_has_a_bucket_for_each_power_of_two),
		cmocka_unit_test(test_histogram_describes_itself_up_to_the_last_bucket_in_use),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
