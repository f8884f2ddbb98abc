/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one viewer copies, another one pastes; and what hostile ones send. */
#include "vnc_clipboard.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <zlib.h>

#include "clipboard.h"
#include "password.h"
#include "rfb.h"
#include "stage.h"
#include "unit.h"
#include "wire.h"

#define TEXT VNC_CLIPBOARD_TEXT
#define ASK  VNC_CLIPBOARD_ASK
#define PEEK VNC_CLIPBOARD_PEEK
#define TELL VNC_CLIPBOARD_TELL
#define GIVE VNC_CLIPBOARD_GIVE
#define CAPS VNC_CLIPBOARD_SAY_CAPS

/* The text. */

static void expect_text(GBytes *text, const char *want)
{
	if (!want) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_int_equal(g_bytes_get_size(text), strlen(want));
	if (*want)
		assert_memory_equal(g_bytes_get_data(text, NULL), want, strlen(want));
	g_bytes_unref(text);
}

static void test_clipboard_takes_text_of_any_lines(void **state)
{
	char *longest = g_strnfill(CLIPBOARD_LIMIT + 1, 'x');

	(void)state;
	expect_text(clipboard_text("", 0), "");
	expect_text(clipboard_text("a\r\nb\rc\n\r\r\n", 10), "a\nb\rc\n\r\n");
	expect_text(clipboard_text("gr\xc3\xbc\xc3\x9f\0more", 11), "gr\xc3\xbc\xc3\x9f");
	expect_text(clipboard_text("\xff", 1), NULL);
	expect_text(clipboard_text("\xc3", 1), NULL);
	expect_text(clipboard_text(longest, CLIPBOARD_LIMIT + 1), NULL);
	expect_text(clipboard_text_from_latin1("gr\xfc\xdf\r\n", 6), "gr\xc3\xbc\xc3\x9f\n");
	memset(longest, 0xff, CLIPBOARD_LIMIT / 2 + 1);
	expect_text(clipboard_text_from_latin1(longest, CLIPBOARD_LIMIT / 2 + 1), NULL);
	g_free(longest);
}

static void test_clipboard_becomes_latin1(void **state)
{
	GBytes *text = clipboard_text("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x8e\x89z", 11);
	GBytes *latin1 = clipboard_text_to_latin1(text);

	(void)state;
	expect_text(latin1, "a\xfc??z");
	g_bytes_unref(text);
}

/* Viewers. */

static void join(struct stage *stage, struct rfb *rfb, bool extended)
{
	static const uint8_t list[] = {2, 0, 0, 2, 0, 0, 0, 0, 0xc0, 0xa1, 0xe5, 0xce};

	assert_true(rfb_open(rfb, rfb_dial_tcp(stage->port), 8));
	if (extended)
		assert_true(rfb_send(rfb->fd, list, sizeof(list)));
}

static void say(struct rfb *rfb, int32_t length, const void *bytes, size_t n)
{
	uint8_t head[8] = {6};

	wire_put_u32(head + 4, (uint32_t)length);
	assert_true(rfb_send(rfb->fd, head, sizeof(head)));
	assert_true(!n || rfb_send(rfb->fd, bytes, n));
}

static void say_plain(struct rfb *rfb, const char *text)
{
	say(rfb, (int32_t)strlen(text), text, strlen(text));
}

static void say_flags(struct rfb *rfb, uint32_t flags)
{
	uint8_t bytes[4];

	wire_put_u32(bytes, flags);
	say(rfb, -4, bytes, 4);
}

/* size: that it claims; text with its NUL. */
static void say_text(struct rfb *rfb, uint32_t size, const void *text, size_t length)
{
	uint8_t *raw = g_malloc(length + 4), *packed;
	uLongf room = compressBound(length + 4);

	packed = g_malloc(room + 4);
	wire_put_u32(raw, size);
	memcpy(raw + 4, text, length);
	wire_put_u32(packed, GIVE | TEXT);
	assert_int_equal(compress(packed + 4, &room, raw, length + 4), Z_OK);
	say(rfb, -(int32_t)(room + 4), packed, room + 4);
	g_free(raw);
	g_free(packed);
}

/* The next ServerCutText; bytes is the caller's. */
static int32_t hear(struct rfb *rfb, uint8_t **bytes)
{
	uint8_t head[8];
	int32_t length;
	size_t n;

	assert_true(rfb_receive(rfb->fd, head, sizeof(head)));
	assert_int_equal(head[0], 3);
	length = (int32_t)wire_u32(head + 4);
	n = (size_t)(length < 0 ? -length : length);
	*bytes = g_malloc0(n + 1);
	assert_true(rfb_receive(rfb->fd, *bytes, n));
	return length;
}

static void expect_plain(struct rfb *rfb, const char *want)
{
	uint8_t *bytes;

	assert_int_equal(hear(rfb, &bytes), strlen(want));
	assert_string_equal((char *)bytes, want);
	g_free(bytes);
}

static void expect_flags(struct rfb *rfb, uint32_t flags)
{
	uint8_t *bytes;

	assert_int_equal(hear(rfb, &bytes), -4);
	assert_int_equal(wire_u32(bytes), flags);
	g_free(bytes);
}

static void expect_caps(struct rfb *rfb)
{
	uint8_t *bytes;

	assert_int_equal(hear(rfb, &bytes), -8);
	assert_int_equal(wire_u32(bytes), CAPS | TEXT | ASK | PEEK | TELL | GIVE);
	assert_int_equal(wire_u32(bytes + 4), 0);
	g_free(bytes);
}

static void expect_extended(struct rfb *rfb, const char *want)
{
	uint8_t *bytes, raw[1024];
	uLongf length = sizeof(raw);
	int32_t n = hear(rfb, &bytes);

	assert_true(n < -4);
	assert_int_equal(wire_u32(bytes), GIVE | TEXT);
	assert_int_equal(uncompress(raw, &length, bytes + 4, (uLong)(-n - 4)), Z_OK);
	assert_int_equal(wire_u32(raw), strlen(want) + 1);
	assert_int_equal(length, 4 + strlen(want) + 1);
	assert_string_equal((char *)raw + 4, want);
	g_free(bytes);
}

static void open_stage(struct stage *stage, struct vnc_options *options)
{
	options->clipboard = clipboard_create();
	stage_open(stage, options, 64, 48);
}

static void close_stage(struct stage *stage, struct vnc_options *options)
{
	stage_close(stage);
	clipboard_destroy(options->clipboard);
}

static void await_text(struct clipboard *clipboard, const char *want)
{
	for (int i = 0; i < RFB_PATIENCE_MS; i++) {
		GBytes *text = clipboard_get(clipboard);
		bool same = text && g_bytes_get_size(text) == strlen(want) &&
			    !memcmp(g_bytes_get_data(text, NULL), want, strlen(want));

		g_clear_pointer(&text, g_bytes_unref);
		if (same)
			return;
		g_usleep(1000);
	}
	fail_msg("it was not copied: %s", want);
}

static void test_clipboard_goes_from_viewer_to_viewer(void **state)
{
	struct vnc_options options = {0};
	struct rfb plain, other, modern, late;
	struct stage stage;

	(void)state;
	open_stage(&stage, &options);
	join(&stage, &plain, false);
	join(&stage, &other, false);
	join(&stage, &modern, true);
	expect_caps(&modern);
	say_plain(&plain, "gr\xfc\xdf"
			  "e\nzwei");
	expect_plain(&other, "gr\xfc\xdf"
			     "e\nzwei");
	expect_flags(&modern, TELL | TEXT);
	say_flags(&modern, ASK | TEXT);
	expect_extended(&modern, "gr\xc3\xbc\xc3\x9f"
				 "e\r\nzwei");

	/* The other way: it tells, is asked, and gives. */
	say_flags(&modern, TELL | TEXT);
	expect_flags(&modern, ASK | TEXT);
	say_text(&modern, 12, "1 \xe2\x82\xac\r\n\xf0\x9f\x8e\x89", 12);
	expect_plain(&plain, "1 ?\n?");
	expect_plain(&other, "1 ?\n?");
	/* Who comes later is told of it, and who asks. */
	join(&stage, &late, true);
	expect_caps(&late);
	expect_flags(&late, TELL | TEXT);
	say_flags(&late, PEEK);
	expect_flags(&late, TELL | TEXT);
	say_flags(&late, ASK | TEXT);
	expect_extended(&late, "1 \xe2\x82\xac\r\n\xf0\x9f\x8e\x89");
	/* Nothing came back to who copied: its next message is the answer to this. */
	say_flags(&modern, PEEK);
	expect_flags(&modern, TELL | TEXT);
	rfb_close(&plain);
	rfb_close(&other);
	rfb_close(&modern);
	rfb_close(&late);
	close_stage(&stage, &options);
}

static void test_clipboard_does_what_a_viewer_can(void **state)
{
	struct vnc_options options = {0};
	struct rfb plain, giver, deaf;
	struct stage stage;

	(void)state;
	open_stage(&stage, &options);
	join(&stage, &plain, false);
	join(&stage, &giver, true);
	join(&stage, &deaf, true);
	expect_caps(&giver);
	expect_caps(&deaf);
	say_flags(&giver, CAPS | TEXT | GIVE);
	say_flags(&deaf, CAPS);
	say_flags(&giver, PEEK); /* nothing was copied yet */
	expect_flags(&giver, TELL);
	say_flags(&deaf, PEEK);
	expect_flags(&deaf, TELL);
	say_plain(&plain, "to all");
	expect_extended(&giver, "to all");
	say_flags(&deaf, PEEK);
	expect_flags(&deaf, TELL | TEXT);
	rfb_close(&plain);
	rfb_close(&giver);
	rfb_close(&deaf);
	close_stage(&stage, &options);
}

/* Another sink, or the guest, on the same clipboard. */
static void test_clipboard_is_shared_with_others(void **state)
{
	struct vnc_options options = {0};
	GBytes *text = clipboard_text("from the guest", 14);
	struct stage stage;
	struct rfb rfb;

	(void)state;
	open_stage(&stage, &options);
	join(&stage, &rfb, false);
	clipboard_set(options.clipboard, text, &stage);
	expect_plain(&rfb, "from the guest");
	say_plain(&rfb, "to the guest");
	await_text(options.clipboard, "to the guest");
	g_bytes_unref(text);
	rfb_close(&rfb);
	close_stage(&stage, &options);
}

static void test_clipboard_is_not_for_who_only_watches(void **state)
{
	const struct passwords passwords = {
		.full = "full", .view = "watch", .has_full = TRUE, .has_view = TRUE};
	struct vnc_options options = {.passwords = &passwords};
	static const uint8_t list[] = {2, 0, 0, 2, 0, 0, 0, 0, 0xc0, 0xa1, 0xe5, 0xce};
	struct rfb full, watching;
	struct stage stage;
	int fd;

	(void)state;
	open_stage(&stage, &options);
	fd = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet_with(fd, passwords.view));
	assert_true(rfb_init(&watching, fd));
	fd = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet_with(fd, passwords.full));
	assert_true(rfb_init(&full, fd));
	assert_true(rfb_send(watching.fd, list, sizeof(list)));
	say_plain(&watching, "not this");
	say_text(&watching, 5, "nor\0", 4);
	/* An update is all that it gets, and what it said was obeyed before. */
	assert_true(rfb_converge(&watching, stage.frame, 2));
	assert_null(clipboard_get(options.clipboard));
	say_plain(&full, "a secret");
	await_text(options.clipboard, "a secret");
	stage_paint(&stage, 0, 0, 9, 9);
	assert_true(rfb_converge(&watching, stage.frame, 2));
	rfb_close(&full);
	rfb_close(&watching);
	close_stage(&stage, &options);
}

static void test_clipboard_throws_away_what_is_too_long(void **state)
{
	struct vnc_options options = {0};
	char *text = g_strnfill(3 * CLIPBOARD_LIMIT, 'x');
	struct stage stage;
	struct rfb rfb;

	(void)state;
	open_stage(&stage, &options);
	join(&stage, &rfb, true);
	expect_caps(&rfb);
	say(&rfb, CLIPBOARD_LIMIT + 1, text, CLIPBOARD_LIMIT + 1);
	say_text(&rfb, 3 * CLIPBOARD_LIMIT, text, 3 * CLIPBOARD_LIMIT);
	say_plain(&rfb, "short");
	await_text(options.clipboard, "short");
	text[CLIPBOARD_LIMIT] = 0;
	say(&rfb, CLIPBOARD_LIMIT, text, CLIPBOARD_LIMIT);
	await_text(options.clipboard, text);
	rfb_close(&rfb);
	close_stage(&stage, &options);
	g_free(text);
}

static void test_clipboard_survives_nonsense(void **state)
{
	static const uint8_t half[] = {0x10, 0, 0, 1, 0x78, 0x9c, 0x63};
	struct vnc_options options = {0};
	GRand *random = g_rand_new_with_seed(7);
	uint8_t bytes[512];
	struct stage stage;
	struct rfb rfb;

	(void)state;
	open_stage(&stage, &options);
	join(&stage, &rfb, true);
	expect_caps(&rfb);
	say(&rfb, -(int32_t)sizeof(half), half, sizeof(half));
	say(&rfb, -1, half, 1);
	say_text(&rfb, UINT32_MAX, "a", 2);
	say_text(&rfb, 0x7fffffff, "a", 2);
	say_text(&rfb, 9, "short", 6);
	say_text(&rfb, 2, "\xff", 2);
	say_flags(&rfb, GIVE | TEXT);
	say_flags(&rfb, ASK | TELL | GIVE | TEXT);
	say_flags(&rfb, 0);
	say_flags(&rfb, ASK);      /* for nothing */
	say_flags(&rfb, TELL | 2); /* HTML alone */
	assert_null(clipboard_get(options.clipboard));
	for (int i = 0; i < 2000; i++) {
		size_t length = (size_t)g_rand_int_range(random, 0, sizeof(bytes));

		for (size_t j = 0; j < length; j++)
			bytes[j] = (uint8_t)g_rand_int(random);
		/* Without what would be answered: nobody reads here. */
		if (length)
			bytes[0] = i % 2 ? 0x10 : 0x0f;
		if (length > 3)
			bytes[3] |= 1;
		if (length > 5 && i % 4 == 1)
			memcpy(bytes + 4, "\x78\x9c", 2);
		say(&rfb, -(int32_t)length, bytes, length);
	}
	say_plain(&rfb, "sense");
	await_text(options.clipboard, "sense");
	rfb_close(&rfb);
	close_stage(&stage, &options);
	g_rand_free(random);
}

struct storm {
	struct stage *stage;
	gint *done;
};

/* Copies all the time, and reads what comes. */
static void *copy_and_read(void *data)
{
	struct storm *storm = data;
	struct rfb rfb;

	join(storm->stage, &rfb, true);
	for (unsigned int i = 0; !g_atomic_int_get(storm->done); i++) {
		char waste[65536];

		if (i % 2)
			say_text(&rfb, 9, "12345678", 9);
		else
			say_flags(&rfb, (i % 4 ? ASK : TELL) | TEXT);
		while (recv(rfb.fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
			;
	}
	rfb_close(&rfb);
	return NULL;
}

/* Messages of both kinds never mix: a viewer in the middle of it gets whole updates. */
static void test_clipboard_storms_leave_updates_whole(void **state)
{
	struct vnc_options options = {0};
	struct storm storms[4];
	pthread_t threads[4];
	struct stage stage;
	unsigned int texts = 0;
	gint done = 0;
	struct rfb rfb;

	(void)state;
	open_stage(&stage, &options);
	join(&stage, &rfb, false);
	for (size_t i = 0; i < 4; i++) {
		storms[i] = (struct storm){&stage, &done};
		pthread_create(&threads[i], NULL, copy_and_read, &storms[i]);
	}
	for (uint32_t i = 0; i < 100 || !texts; i++) {
		uint8_t type;

		stage_paint(&stage, i % 30, i % 20, 30, 20);
		assert_true(rfb_request(&rfb, true));
		while (recv(rfb.fd, &type, 1, MSG_PEEK) == 1 && type == 3) {
			expect_plain(&rfb, "12345678");
			texts++;
		}
		assert_true(rfb_update(&rfb));
		assert_true(rfb_shows(&rfb, stage.frame));
	}
	g_atomic_int_set(&done, 1);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	rfb_close(&rfb);
	close_stage(&stage, &options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clipboard_takes_text_of_any_lines),
		cmocka_unit_test(test_clipboard_becomes_latin1),
		cmocka_unit_test(test_clipboard_goes_from_viewer_to_viewer),
		cmocka_unit_test(test_clipboard_does_what_a_viewer_can),
		cmocka_unit_test(test_clipboard_is_shared_with_others),
		cmocka_unit_test(test_clipboard_is_not_for_who_only_watches),
		cmocka_unit_test(test_clipboard_throws_away_what_is_too_long),
		cmocka_unit_test(test_clipboard_survives_nonsense),
		cmocka_unit_test(test_clipboard_storms_leave_updates_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
