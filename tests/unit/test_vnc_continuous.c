/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Updates without requests, and fences among them, as a viewer sees them. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rfb.h"
#include "stage.h"
#include "unit.h"
#include "viewer.h"
#include "vnc_fence.h"
#include "wire.h"

static const int32_t all[] = {VIEWER_RAW, VIEWER_DESKTOP_SIZE, VIEWER_FENCE,
			      VIEWER_CONTINUOUS_UPDATES};

/* What fences brought, as "letter+flags" each; fences of the server's are answered. */
struct notes {
	GString *answers;
	bool deaf;      /* leaves them unanswered, and remembers the last one */
	uint8_t length; /* of that */
	uint8_t payload[255];
	const struct viewer_format *next; /* what an 's' stands for */
};

static struct notes notes;

static void got_fence(struct viewer *viewer, uint32_t flags, const uint8_t *payload, uint8_t length)
{
	if (!(flags & VNC_FENCE_REQUEST)) {
		g_string_append_printf(notes.answers, "%c%u ", payload[0], flags);
		if (notes.next && payload[0] == 's')
			viewer->format = *notes.next;
		return;
	}
	assert_int_equal(flags & VNC_FENCE_SYNC_NEXT, 0);
	memcpy(notes.payload, payload, length);
	notes.length = length;
	if (!notes.deaf)
		assert_true(viewer_send_fence(viewer, flags & 7, payload, length));
}

static void open_viewer(struct stage *stage, struct viewer *viewer)
{
	notes = (struct notes){.answers = g_string_new(NULL)};
	if (!viewer_open(viewer, rfb_dial_tcp(stage->port), true))
		fail_msg("%s", viewer->reason);
	viewer->got_fence = got_fence;
	assert_true(viewer_set_encodings(viewer, all, G_N_ELEMENTS(all)));
	assert_true(viewer_request(viewer, false));
}

static void close_viewer(struct viewer *viewer)
{
	viewer_close(viewer);
	g_string_free(notes.answers, TRUE);
}

static int next_message(struct viewer *viewer)
{
	int type = viewer_message(viewer);

	if (type < 0)
		fail_msg("%s", viewer->reason);
	return type;
}

static void next_update(struct viewer *viewer)
{
	while (next_message(viewer) != VIEWER_UPDATE)
		;
}

static bool shows(const struct viewer *viewer, const struct frame *frame)
{
	const struct viewer_format *format = &viewer->format;
	uint32_t colours = viewer_pixel(format, 0xffffff); /* the rest of a pixel is anything */

	if (viewer->width != frame->width || viewer->height != frame->height)
		return false;
	for (uint32_t y = 0; y < frame->height; y++) {
		const uint32_t *row = frame->pixels + y * (frame->stride / 4);

		for (uint32_t x = 0; x < frame->width; x++)
			if ((viewer->pixels[y * frame->width + x] & colours) !=
			    viewer_pixel(format, row[x]))
				return false;
	}
	return true;
}

/* Without asking. */
static void converge(struct viewer *viewer, const struct frame *frame)
{
	while (!shows(viewer, frame))
		next_update(viewer);
}

/* Sends a fence and reads up to its answer; no update comes before that, unless allowed. */
static void fence(struct viewer *viewer, uint32_t flags, char letter)
{
	size_t had = notes.answers->len;

	assert_true(viewer_send_fence(viewer, VNC_FENCE_REQUEST | flags, &letter, 1));
	while (notes.answers->len == had)
		next_message(viewer);
}

static void test_continuous_is_announced_once(void **state)
{
	struct viewer viewer;
	struct stage stage;
	unsigned int fences = 0, ends = 0;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	open_viewer(&stage, &viewer);
	assert_true(viewer_set_encodings(&viewer, all, G_N_ELEMENTS(all)));
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'a');
	assert_true(viewer_set_encodings(&viewer, all, G_N_ELEMENTS(all)));
	assert_true(viewer_send_fence(&viewer, VNC_FENCE_REQUEST | 1, "b", 1));
	while (!strstr(notes.answers->str, "b1 ")) {
		ends += next_message(&viewer) == VIEWER_END_OF_CONTINUOUS;
		fences = viewer.counts.fences;
	}
	assert_true(viewer.offered_continuous);
	assert_int_equal(ends, 0); /* it came before the first answer */
	assert_int_equal(fences, 3);
	assert_string_equal(notes.answers->str, "a1 b1 ");
	close_viewer(&viewer);
	stage_close(&stage);
}

static void test_continuous_follows_changes_and_modes(void **state)
{
	struct viewer viewer;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	assert_true(shows(&viewer, stage.frame));
	assert_true(viewer_continuous(&viewer, true));
	for (uint32_t i = 0; i < 60; i++) {
		if (i % 20 == 19) {
			stage_resize(&stage, 300 + i * 7, 500 - i * 3);
			while (viewer.width != stage.frame->width)
				next_update(&viewer);
			assert_true(viewer_continuous(&viewer, true)); /* of the new size */
		}
		stage_paint(&stage, i * 31 % 250, i * 17 % 180, 64, 64);
		converge(&viewer, stage.frame);
	}
	assert_int_equal(viewer.counts.resizes, 3);
	close_viewer(&viewer);
	stage_close(&stage);
}

static void test_continuous_ends_when_asked(void **state)
{
	struct viewer viewer;
	struct stage stage;
	unsigned int updates;

	(void)state;
	stage_open(&stage, NULL, 320, 240);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	for (int i = 0; i < 20; i++) {
		assert_true(viewer_continuous(&viewer, true));
		stage_paint(&stage, 0, 0, 50, 50);
		converge(&viewer, stage.frame);
		assert_true(viewer_continuous(&viewer, false));
		stage_paint(&stage, 0, 0, 50, 50);
		while (next_message(&viewer) != VIEWER_END_OF_CONTINUOUS)
			;
		/* From here on nothing comes that was not asked for. */
		updates = viewer.counts.updates;
		stage_paint(&stage, 100, 0, 50, 50);
		fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'x');
		fence(&viewer, VNC_FENCE_BLOCK_AFTER, 'x');
		assert_int_equal(viewer.counts.updates, updates);
		assert_true(viewer_request(&viewer, true));
		next_update(&viewer);
		assert_true(shows(&viewer, stage.frame));
	}
	/* The answer comes even if it is off already. */
	assert_true(viewer_continuous(&viewer, false));
	assert_int_equal(next_message(&viewer), VIEWER_END_OF_CONTINUOUS);
	close_viewer(&viewer);
	stage_close(&stage);
}

/* Requests for what is new are no requests then; one for everything is. */
static void test_continuous_answers_only_whole_requests(void **state)
{
	struct viewer viewer;
	struct stage stage;
	unsigned int updates;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	assert_true(viewer_continuous(&viewer, true));
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'a');
	updates = viewer.counts.updates;
	assert_true(viewer_request(&viewer, true));
	assert_true(viewer_request(&viewer, false));
	next_update(&viewer);
	/* The incremental one is not kept for later, either. */
	assert_true(viewer_continuous(&viewer, false));
	stage_paint(&stage, 0, 0, 9, 9);
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'b');
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'c');
	assert_true(viewer.counts.updates <= updates + 2);
	updates = viewer.counts.updates;
	stage_paint(&stage, 0, 0, 9, 9);
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'd');
	assert_int_equal(viewer.counts.updates, updates);
	close_viewer(&viewer);
	stage_close(&stage);
}

/* Only a part of the picture: what changes elsewhere waits, and nobody spins. */
static void test_continuous_keeps_to_its_part(void **state)
{
	static const uint8_t corner[] = {150, 1, 0, 0, 0, 0, 0, 64, 0, 32};
	static const uint8_t outside[] = {150, 1, 0xff, 0, 0xff, 0, 0xff, 0xff, 0xff, 0xff};
	struct viewer viewer;
	struct stage stage;
	unsigned int updates;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	assert_true(rfb_send(viewer.fd, corner, sizeof(corner)));
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'a');
	stage_paint(&stage, 300, 300, 50, 50);
	stage_paint(&stage, 10, 10, 20, 10);
	next_update(&viewer);
	assert_int_equal(viewer.pixels[10 * 640 + 10] & 0xffffff,
			 stage.frame->pixels[10 * 640 + 10] & 0xffffff);
	assert_int_not_equal(viewer.pixels[300 * 640 + 300] & 0xffffff,
			     stage.frame->pixels[300 * 640 + 300] & 0xffffff);
	assert_true(rfb_send(viewer.fd, outside, sizeof(outside)));
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'b');
	updates = viewer.counts.updates;
	stage_paint(&stage, 0, 0, 640, 480);
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'c');
	assert_int_equal(viewer.counts.updates, updates);
	assert_true(viewer_continuous(&viewer, true));
	converge(&viewer, stage.frame);
	close_viewer(&viewer);
	stage_close(&stage);
}

/* A format that changes between updates that nobody asked for: pixels follow the answer exactly. */
static void test_fence_switches_formats_in_the_stream(void **state)
{
	static const struct viewer_format rgb565 = {16, 16, false, {31, 63, 31}, {11, 5, 0}};
	static const uint8_t messages[2][20] = {
		{0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0},
		{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0},
	};
	struct viewer viewer;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 200, 150);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	assert_true(viewer_continuous(&viewer, true));
	for (int i = 0; i < 100; i++) {
		size_t had = notes.answers->len;

		notes.next = i % 2 ? &viewer_x8r8g8b8 : &rgb565;
		stage_paint(&stage, 0, 0, 200, 150);
		assert_true(viewer_send_fence(&viewer, VNC_FENCE_REQUEST | VNC_FENCE_SYNC_NEXT, "s",
					      1));
		stage_paint(&stage, 0, 0, 200, 150);
		assert_true(rfb_send(viewer.fd, messages[i % 2], 20));
		stage_paint(&stage, 0, 0, 200, 150);
		while (notes.answers->len == had)
			next_message(&viewer);
		/* Pixels of before are numbers of the other format: all again. */
		assert_true(viewer_request(&viewer, false));
		converge(&viewer, stage.frame);
	}
	assert_int_equal(strlen(notes.answers->str), 100 * 3);
	close_viewer(&viewer);
	stage_close(&stage);
}

static void test_fence_answers_a_flood_in_order(void **state)
{
	struct viewer viewer;
	struct stage stage;
	uint8_t flood[26 * 10] = {0};
	GString *want = g_string_new(NULL);

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	open_viewer(&stage, &viewer);
	for (size_t i = 0; i < 26; i++) {
		uint8_t *message = flood + i * 10;

		message[0] = 248;
		wire_put_u32(message + 4, VNC_FENCE_REQUEST | (uint32_t)(i % 4));
		message[8] = 1;
		message[9] = (uint8_t)('a' + i);
		g_string_append_printf(want, "%c%zu ", (int)('a' + i), i % 4);
	}
	for (int turn = 0; turn < 40; turn++) {
		g_string_truncate(notes.answers, 0);
		for (int i = 0; i < 8; i++)
			assert_true(rfb_send(viewer.fd, flood, sizeof(flood)));
		while (notes.answers->len < want->len * 8)
			next_message(&viewer);
		for (size_t i = 0; i < 8; i++)
			assert_memory_equal(notes.answers->str + i * want->len, want->str,
					    want->len);
	}
	g_string_free(want, TRUE);
	close_viewer(&viewer);
	stage_close(&stage);
}

/* While a fence is unanswered, the client is taken to be busy: it gets few updates, not all. */
static void test_continuous_skips_frames_of_a_slow_client(void **state)
{
	struct viewer viewer;
	struct stage stage;
	unsigned int updates;

	(void)state;
	stage_open(&stage, NULL, 400, 300);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	assert_true(viewer_continuous(&viewer, true));
	fence(&viewer, VNC_FENCE_BLOCK_BEFORE, 'a');
	notes.deaf = true;
	stage_paint(&stage, 0, 0, 400, 300);
	next_update(&viewer);
	while (!notes.length)
		next_message(&viewer);
	updates = viewer.counts.updates;
	for (int i = 0; i < 60; i++)
		stage_paint(&stage, 0, 0, 400, 300);
	assert_int_equal(stage_demand(&stage).waiting, 0);
	notes.deaf = false;
	assert_true(viewer_send_fence(&viewer, 0, notes.payload, notes.length));
	converge(&viewer, stage.frame);
	assert_true(viewer.counts.updates - updates < 20);
	close_viewer(&viewer);
	stage_close(&stage);
}

static void test_continuous_does_not_depend_on_answers(void **state)
{
	const uint8_t payload[64] = "answer";
	struct viewer viewer;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 400, 300);
	open_viewer(&stage, &viewer);
	next_update(&viewer);
	notes.deaf = true;
	assert_true(viewer_continuous(&viewer, true));
	for (int i = 0; i < 100; i++) {
		stage_paint(&stage, 0, 0, 400, 300);
		converge(&viewer, stage.frame);
	}
	/* Answers to what was never asked do no harm. */
	for (unsigned int i = 0; i < 300; i++)
		assert_true(viewer_send_fence(&viewer, 0, payload, i % (sizeof(payload) + 1)));
	notes.deaf = false;
	stage_paint(&stage, 0, 0, 400, 300);
	converge(&viewer, stage.frame);
	close_viewer(&viewer);
	stage_close(&stage);
}

/* What was not offered is no message, nor is what is too long. */
static void test_fence_is_refused_without_an_offer(void **state)
{
	static const int32_t offers[][2] = {
		{VIEWER_RAW, VIEWER_RAW},
		{VIEWER_RAW, VIEWER_FENCE},
		{VIEWER_RAW, VIEWER_CONTINUOUS_UPDATES},
	};
	static const struct {
		uint8_t bytes[10];
		size_t length;
		bool passes[3];
	} cases[] = {
		{{248, 0, 0, 0, 0x80, 0, 0, 1, 1, 'x'}, 10, {false, true, false}},
		{{248, 0, 0, 0, 0x80, 0, 0, 1, 65}, 9, {false, false, false}},
		{{150, 0, 0, 0, 0, 0, 0, 9, 0, 9}, 10, {false, false, false}},
	};
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	for (size_t i = 0; i < G_N_ELEMENTS(cases) * 3; i++) {
		size_t which = i / 3, offer = i % 3;
		struct viewer viewer;

		open_viewer(&stage, &viewer);
		viewer_close(&viewer);
		g_string_truncate(notes.answers, 0);
		assert_true(viewer_open(&viewer, rfb_dial_tcp(stage.port), true));
		viewer.got_fence = got_fence;
		assert_true(viewer_set_encodings(&viewer, offers[offer], 2));
		assert_true(rfb_send(viewer.fd, cases[which].bytes, cases[which].length));
		if (cases[which].passes[offer])
			while (strcmp(notes.answers->str, "x1 "))
				next_message(&viewer);
		else
			assert_true(rfb_is_closed(viewer.fd));
		close_viewer(&viewer);
	}
	assert_true(stage_wait(&stage, stage_has_clients, 0));
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_continuous_is_announced_once),
		cmocka_unit_test(test_continuous_follows_changes_and_modes),
		cmocka_unit_test(test_continuous_ends_when_asked),
		cmocka_unit_test(test_continuous_answers_only_whole_requests),
		cmocka_unit_test(test_continuous_keeps_to_its_part),
		cmocka_unit_test(test_fence_switches_formats_in_the_stream),
		cmocka_unit_test(test_fence_answers_a_flood_in_order),
		cmocka_unit_test(test_continuous_skips_frames_of_a_slow_client),
		cmocka_unit_test(test_continuous_does_not_depend_on_answers),
		cmocka_unit_test(test_fence_is_refused_without_an_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
