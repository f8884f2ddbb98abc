/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http_head.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

/* Says text, so many bytes at a time; what the last reading of it gave. */
static int say(struct http_head *head, const char *text, size_t length, size_t piece)
{
	int pair[2], r = -EAGAIN;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t at = 0; at < length && r == -EAGAIN; at += piece) {
		size_t size = MIN(piece, length - at);

		assert_int_equal(send(pair[0], text + at, size, 0), size);
		r = http_head_read(head, pair[1]);
	}
	close(pair[0]);
	if (r == -EAGAIN)
		r = http_head_read(head, pair[1]);
	close(pair[1]);
	return r;
}

static void expect(struct http_head *head, const char *text, const char *rest)
{
	GBytes *bytes = http_head_bytes(head);
	const uint8_t *behind;
	size_t length;

	assert_int_equal(g_bytes_get_size(bytes), strlen(text));
	assert_memory_equal(g_bytes_get_data(bytes, NULL), text, strlen(text));
	behind = http_head_rest(head, &length);
	assert_int_equal(length, strlen(rest));
	assert_memory_equal(behind, rest, length);
	g_bytes_unref(bytes);
	http_head_finish(head);
}

#define HEAD "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static void test_head_ends_at_an_empty_line(void **state)
{
	static const char bare[] = "GET / HTTP/1.0\nHost: a\n\n";
	struct http_head head = {0};

	(void)state;
	for (size_t piece = 1; piece < 40; piece++) {
		assert_int_equal(say(&head, HEAD, strlen(HEAD), piece), 0);
		assert_false(head.body);
		expect(&head, HEAD, "");
	}
	assert_int_equal(say(&head, HEAD "early\n\n", strlen(HEAD) + 7, 100), 0);
	expect(&head, HEAD, "early\n\n");
	assert_int_equal(say(&head, bare, strlen(bare), 3), 0);
	expect(&head, bare, "");
}

static void test_head_announces_no_body_to_who_reads_on(void **state)
{
	static const struct {
		const char *said, *left;
	} cases[] = {
		{"Content-Length: 5", "Xontent-Length: 5"},
		{"content-length:UTF-8", "Xontent-length:UTF-8"},
		{"Content-Length\t : x", "Xontent-Length\t : x"},
		{"TRANSFER-ENCODING: chunked", "XRANSFER-ENCODING: chunked"},
		{"Content-Lengths: 5", NULL},
		{"X-Content-Length: 5", NULL},
		{"A: Content-Length: 5", NULL},
		{"Content-Length", NULL},
	};
	struct http_head head = {0};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *left = cases[i].left ? cases[i].left : cases[i].said;
		char *said = g_strdup_printf("POST / HTTP/1.1\r\n%s\r\n\r\n", cases[i].said);
		char *expected = g_strdup_printf("POST / HTTP/1.1\r\n%s\r\n\r\n", left);

		assert_int_equal(say(&head, said, strlen(said), 7), 0);
		assert_int_equal(head.body, cases[i].left != NULL);
		expect(&head, expected, "");
		g_free(said);
		g_free(expected);
	}
}

static void test_head_is_bounded_text(void **state)
{
	char *text = g_strnfill(2 * HTTP_HEAD_LIMIT, 'a');
	struct http_head head = {0};

	(void)state;
	assert_int_equal(say(&head, text, strlen(text), 1000), -EMSGSIZE);
	http_head_finish(&head);
	assert_int_equal(say(&head, text, 10, 10), -EPIPE);
	http_head_finish(&head);
	assert_int_equal(say(&head, "", 0, 1), -EPIPE);
	http_head_finish(&head);
	assert_int_equal(say(&head, "GET /\r\nContent-\0Length: 5\r\n\r\n", 30, 9), -EBADMSG);
	http_head_finish(&head);
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_ends_at_an_empty_line),
		cmocka_unit_test(test_head_announces_no_body_to_who_reads_on),
		cmocka_unit_test(test_head_is_bounded_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
