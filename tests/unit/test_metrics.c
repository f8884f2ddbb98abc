/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics.h"

#include <string.h>

#include "unit.h"

static char *metrics_of(const char *status)
{
	JsonNode *root = json_from_string(status, NULL);
	char *text;

	assert_non_null(root);
	text = metrics_text(json_node_get_object(root));
	json_node_unref(root);
	return text;
}

static void expect(const char *status, const char *words)
{
	char *text = metrics_of(status);

	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s\n", words, text);
	g_free(text);
}

static void test_metrics_have_base_units(void **state)
{
	(void)state;
	expect("{\"uptime_ms\":1500}",
	       "# HELP planecast_uptime_seconds Time since the server started.\n"
	       "# TYPE planecast_uptime_seconds gauge\n"
	       "planecast_uptime_seconds 1.5\n");
	expect("{\"counters\":{\"bytes_read\":9007199254740992}}",
	       "\nplanecast_read_bytes_total 9007199254740992\n");
	expect("{\"signal\":true}", "\nplanecast_signal 1\n");
	expect("{\"pacer\":{\"state\":\"idle\"}}", "planecast_pacer_state{state=\"asleep\"} 0\n"
						   "planecast_pacer_state{state=\"idle\"} 1\n"
						   "planecast_pacer_state{state=\"active\"} 0\n");
}

/* log2_us: one below 1 us, two of 1 us, one of 4 to 7 us. */
static void test_metrics_buckets_add_up(void **state)
{
	const char *status = "{\"time\":{\"read\":{\"count\":4,\"sum_us\":8,\"max_us\":6,"
			     "\"log2_us\":[1,2,0,1]}}}";

	(void)state;
	expect(status, "planecast_read_seconds_bucket{le=\"1e-06\"} 1\n"
		       "planecast_read_seconds_bucket{le=\"2e-06\"} 3\n"
		       "planecast_read_seconds_bucket{le=\"4e-06\"} 3\n"
		       "planecast_read_seconds_bucket{le=\"8e-06\"} 4\n"
		       "planecast_read_seconds_bucket{le=\"1.6e-05\"} 4\n");
	expect(status, "planecast_read_seconds_bucket{le=\"8.388608\"} 4\n"
		       "planecast_read_seconds_bucket{le=\"+Inf\"} 4\n"
		       "planecast_read_seconds_sum 7.9999999999999996e-06\n"
		       "planecast_read_seconds_count 4\n");
}

static void test_metrics_of_sinks_share_a_family(void **state)
{
	(void)state;
	expect("{\"sinks\":[{\"kind\":\"vnc\",\"accepted\":3,\"clients\":[{\"parked\":true},{}]},"
	       "{\"kind\":\"spice\",\"accepted\":5,\"clients\":[]}]}",
	       "# HELP planecast_clients Clients that are connected.\n"
	       "# TYPE planecast_clients gauge\n"
	       "planecast_clients{sink=\"vnc\"} 2\n"
	       "planecast_clients{sink=\"spice\"} 0\n"
	       "# HELP planecast_parked_clients Clients that take nothing: nothing is done for "
	       "them until they do.\n"
	       "# TYPE planecast_parked_clients gauge\n"
	       "planecast_parked_clients{sink=\"vnc\"} 1\n"
	       "planecast_parked_clients{sink=\"spice\"} 0\n"
	       "# HELP planecast_connections_accepted_total Connections that were accepted.\n"
	       "# TYPE planecast_connections_accepted_total counter\n"
	       "planecast_connections_accepted_total{sink=\"vnc\"} 3\n"
	       "planecast_connections_accepted_total{sink=\"spice\"} 5\n");
}

static void test_metrics_labels_are_quoted(void **state)
{
	(void)state;
	expect("{\"version\":\"1\",\"device\":\"a\\\\b\\\"c\\nd\"}",
	       "\nplanecast_info{version=\"1\",device=\"a\\\\b\\\"c\\nd\"} 1\n");
}

static void test_metrics_leave_out_what_a_status_lacks(void **state)
{
	static const char *const cases[] = {
		"{}",
		"{\"uptime_ms\":\"long\",\"signal\":null,\"memory\":7,\"mode\":null}",
		"{\"counters\":{\"looks\":{}},\"pacer\":{\"state\":3},\"version\":\"1\"}",
		"{\"time\":{\"read\":{\"log2_us\":[1]}},\"sinks\":{}}",
		"{\"time\":{\"read\":{\"count\":1,\"sum_us\":1,\"log2_us\":{}}}}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *text = metrics_of(cases[i]);

		assert_string_equal(text, "");
		g_free(text);
	}
	/* Sinks that are none, and clients that are none. */
	expect("{\"sinks\":[1,{\"kind\":2},{\"kind\":\"vnc\",\"clients\":[1,{\"parked\":\"\"}]}]}",
	       "\nplanecast_parked_clients{sink=\"vnc\"} 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics_have_base_units),
		cmocka_unit_test(test_metrics_buckets_add_up),
		cmocka_unit_test(test_metrics_of_sinks_share_a_family),
		cmocka_unit_test(test_metrics_labels_are_quoted),
		cmocka_unit_test(test_metrics_leave_out_what_a_status_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
