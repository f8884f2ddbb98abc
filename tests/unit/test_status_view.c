/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status_view.h"

#include <string.h>

#include "unit.h"

static char *view(const char *now, const char *before)
{
	JsonNode *first = before ? json_from_string(before, NULL) : NULL;
	JsonNode *second = json_from_string(now, NULL);
	char *text;

	assert_non_null(second);
	text = status_view(json_node_get_object(second),
			   first ? json_node_get_object(first) : NULL);
	g_clear_pointer(&first, json_node_unref);
	json_node_unref(second);
	return text;
}

static void expect(const char *now, const char *before, const char *words)
{
	char *text = view(now, before);

	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s\n", words, text);
	g_free(text);
}

#define CLIENT(updates, bytes)                                                          \
	"{\"peer\":\"host:1\",\"since\":\"then\",\"encoding\":\"tight\",\"quality\":6," \
	"\"updates\":" updates ",\"bytes_sent\":" bytes ",\"lag_ms\":40,"               \
	"\"send\":{\"count\":4,\"sum_us\":9,\"max_us\":3000,\"log2_us\":[1,2,0,0,1]}}"

#define SERVER(uptime, bytes, client)                                                    \
	"{\"version\":\"1\",\"pid\":7,\"device\":\"sim:\",\"uptime_ms\":" uptime ","     \
	"\"source\":{\"kind\":\"vfio\",\"damage\":\"compare\",\"held\":\"attached\","    \
	"\"way\":\"region mmap\",\"owner\":{\"pid\":8,\"command\":\"qemu\"}},"           \
	"\"signal\":true,\"mode\":{\"width\":640,\"height\":480,\"format\":\"XR24\","    \
	"\"layout\":\"y\"},\"counters\":{\"bytes_read\":" bytes ",\"passes\":10},"       \
	"\"time\":{\"read\":{\"count\":2,\"sum_us\":3000,\"max_us\":2000,\"log2_us\":[]" \
	"}},\"sinks\":[{\"kind\":\"vnc\",\"clients\":[" client "]}]}"

static void test_view_shows_what_a_server_said(void **state)
{
	const char *now = SERVER("3661000", "5000000", CLIENT("10", "2000000"));

	(void)state;
	expect(now, NULL, "sim:, planecast 1, process 7, up 1:01:01\n");
	expect(now, NULL, "vfio, attached to 8 qemu, region mmap, damage by compare\n");
	expect(now, NULL, "640x480 XR24 y\n");
	expect(now, NULL, "so far: 5.0 MB in 10 passes");
	expect(now, NULL, "acquire -, read 1.5 ms");
	expect(now, NULL, "vnc host:1");
	expect(now, NULL, "tight q6");
	expect(SERVER("1", "1", "{\"peer\":\"host:1\",\"user\":\"alice\"}"), NULL,
	       "vnc host:1 alice ");
	expect(SERVER("1", "1", "{\"peer\":\"host:1\",\"user\":null}"), NULL, "vnc host:1  ");
	expect("{\"signal\":false,\"reason\":\"it is off\"}", NULL, "no signal: it is off\n");
}

static void test_view_shows_rates_between_two_answers(void **state)
{
	const char *before = SERVER("1000", "1000000", CLIENT("10", "2000000"));
	const char *now = SERVER("3000", "5000000", CLIENT("110", "12000000"));
	const char *gone = SERVER("3000", "5000000", "");

	(void)state;
	expect(now, before, "a second: 2.0 MB in 0.0 passes");
	expect(now, before, "     50.0      5.00      12.0      40 ms");
	expect(now, gone, "        -         -      12.0      40 ms");
	/* No time between, or it went back: another server. */
	expect(now, now, "so far: 5.0 MB");
	expect(before, now, "so far: 1.0 MB");
}

/* Whatever listens at a path may be no planecast at all. */
static void test_view_survives_what_is_no_status(void **state)
{
	static const char *const answers[] = {
		"{}",
		"{\"sinks\":[{\"kind\":\"vnc\",\"clients\":[{\"peer\":\"new\",\"since\":\"now\"}]}]}",
		"{\"source\":3,\"mode\":[],\"pacer\":null,\"counters\":\"x\",\"time\":[1],"
		"\"memory\":true,\"sinks\":{}}",
		"{\"sinks\":[1,null,[],{},{\"clients\":3},{\"clients\":[1,null,[],{}]}]}",
		"{\"sinks\":[{\"kind\":[],\"clients\":[{\"peer\":{},\"send\":{\"count\":1e300,"
		"\"log2_us\":[[],{},\"x\",null,-5]}}]}]}",
		"{\"uptime_ms\":9e18,\"pid\":-1e308,\"device\":{\"a\":1},\"version\":[]}",
		"{\"signal\":\"yes\",\"time\":{\"read\":{\"count\":9,\"log2_us\":["
		"0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
		"0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,9]}}}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(answers); j++)
			g_free(view(answers[i], answers[j]));
}

static void test_view_prints_nothing_that_moves_a_terminal(void **state)
{
	char *text = view("{\"device\":\"a\\u001b[2Jb\\nc\",\"reason\":\"\\u0007\\u009b1m\"}",
			  NULL);

	(void)state;
	assert_non_null(strstr(text, "a?[2Jb?c"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\a'));
	assert_null(strstr(text, "\xc2\x9b"));
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_shows_what_a_server_said),
		cmocka_unit_test(test_view_shows_rates_between_two_answers),
		cmocka_unit_test(test_view_survives_what_is_no_status),
		cmocka_unit_test(test_view_prints_nothing_that_moves_a_terminal),
	};

	/* A wrong type is no reason for GLib to complain. */
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
	return cmocka_run_group_tests_name("status_view", tests, NULL, NULL);
}
