/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Viewers that do at random what viewers can do, while the picture scrolls and changes, and its
 * size, all the time: a thousand actions, or four minutes of them with PLANECAST_LONG set, or as
 * many as PLANECAST_CHURN_MINUTES says, in rounds. At the end of each every viewer has every pixel,
 * and when they have gone nothing of theirs is kept: no group, no piece, and no more of the heap
 * than after the first round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "heap.h"
#include "rfb.h"
#include "stage.h"
#include "tight.h"
#include "unit.h"
#include "viewer.h"

#define GUESTS      6
#define ROUNDS      3
#define ACTIONS     (1000 / ROUNDS + 1)
#define LONG_ROUNDS 8
#define LONG_US     (30 * G_TIME_SPAN_SECOND)
#define LONGEST     240 /* s, of a round */
#define MAX_SIDE    1100

/* ThreadSanitizer finds, and suppresses, a race in each word that libvncserver reads. */
#ifdef __SANITIZE_THREAD__
#define ZRLE_ONE_IN 32
#else
#define ZRLE_ONE_IN 4
#endif

/* Of the pieces: all that can be kept, and as much again that is being sent. */
#define TILES      ((MAX_SIDE / TIGHT_WIDTH + 1) * (MAX_SIDE / TIGHT_HEIGHT + 1))
#define MAX_GROUPS (2 * GUESTS)
#define MAX_PIECES (2 * MAX_GROUPS * TILES * ENCODER_KEPT)
#define MAX_BYTES  (MAX_PIECES * TIGHT_WIDTH * TIGHT_HEIGHT * sizeof(uint32_t) * 5 / 4)

/* Of the heap, after a round: what threads that live on have in their caches, and what their
 * buffers have grown by since the first. A long round has thousands of visits. */
#define SLACK (512 << 10)

enum phase {
	PHASE_CHURN,
	PHASE_END,   /* end your visit */
	PHASE_STILL, /* nothing changes any more: see that you have it all */
};

/* What there was in a round. Atomic. */
struct tally {
	gint actions, visits, choices, resizes;
};

struct guest {
	struct stage *stage;
	struct tally *tally;
	gint *phase, *away; /* atomic; away: guests that have ended their visits */
	uint32_t seed, turns;
	bool lossless;   /* in the end */
	bool same, left; /* left: it has ended its visits */
	const char *reason;
};

static uint32_t next(struct guest *guest)
{
	guest->seed = guest->seed * 1664525u + 1013904223u;
	return guest->seed >> 8;
}

/* Another pixel format, other encodings and levels; and all of the picture in them. */
static bool choose(struct guest *guest, struct viewer *viewer, bool lossless)
{
	static const struct viewer_format formats[] = {
		{32, 24, false, {255, 255, 255}, {16, 8, 0}},
		{32, 24, true, {255, 255, 255}, {0, 8, 16}},
		{32, 30, true, {1023, 1023, 1023}, {20, 10, 0}},
		{16, 16, false, {31, 63, 31}, {11, 5, 0}},
		{16, 16, true, {31, 63, 31}, {11, 5, 0}},
		{8, 8, false, {7, 7, 3}, {0, 3, 6}},
	};
	int32_t encodings[] = {next(guest) % ZRLE_ONE_IN ? VIEWER_TIGHT : VIEWER_ZRLE,
			       VIEWER_DESKTOP_SIZE,
			       VIEWER_CURSOR,
			       VIEWER_FENCE,
			       VIEWER_CONTINUOUS_UPDATES,
			       next(guest) % 3 ? VIEWER_COPY_RECT : VIEWER_CURSOR,
			       VIEWER_COMPRESS_LEVEL_0 + (int32_t)(next(guest) % 7),
			       VIEWER_JPEG_QUALITY_0 + (int32_t)(next(guest) % 10)};
	bool quality = !lossless && next(guest) % 3;

	g_atomic_int_add(&guest->tally->actions, 3);
	g_atomic_int_inc(&guest->tally->choices);
	return viewer_set_format(viewer, &formats[next(guest) % G_N_ELEMENTS(formats)]) &&
	       viewer_set_encodings(viewer, encodings, quality ? 8 : 7) &&
	       viewer_request(viewer, false);
}

static bool update(struct viewer *viewer)
{
	int message;

	do {
		message = viewer_message(viewer);
	} while (message > 0);
	return message == VIEWER_UPDATE;
}

/* Updates without requests for a while. Nothing is asked for when it begins, nor when it ends. */
static bool follow(struct guest *guest, struct viewer *viewer)
{
	int message;

	g_atomic_int_add(&guest->tally->actions, 2);
	if (!viewer_continuous(viewer, true))
		return false;
	for (uint32_t i = next(guest) % 6; i; i--) {
		if (!update(viewer))
			return false;
		if (viewer->resized && !viewer_continuous(viewer, true))
			return false;
	}
	if (!viewer_continuous(viewer, false))
		return false;
	do {
		message = viewer_message(viewer);
	} while (message >= 0 && message != VIEWER_END_OF_CONTINUOUS);
	return message >= 0;
}

static bool shows(const struct viewer *viewer, const struct frame *frame)
{
	if (viewer->width != frame->width || viewer->height != frame->height)
		return false;
	for (uint32_t y = 0; y < frame->height; y++)
		for (uint32_t x = 0; x < frame->width; x++)
			if (viewer->pixels[y * viewer->width + x] !=
			    viewer_pixel(&viewer->format,
					 frame->pixels[y * (frame->stride / 4) + x]))
				return false;
	return true;
}

static bool visit(struct guest *guest, struct viewer *viewer)
{
	g_atomic_int_add(&guest->tally->actions, 2);
	g_atomic_int_inc(&guest->tally->visits);
	if (!viewer_open(viewer, rfb_dial_tcp(guest->stage->port), true))
		return false;
	if (!choose(guest, viewer, false))
		return false;
	for (uint32_t i = next(guest) % 12; i && g_atomic_int_get(guest->phase) == PHASE_CHURN;
	     i--) {
		if (!update(viewer))
			return false;
		if (viewer->offered_continuous && !(next(guest) % 5) && !follow(guest, viewer))
			return false;
		if (next(guest) % 5 ? !viewer_request(viewer, !viewer->resized)
				    : !choose(guest, viewer, false))
			return false;
	}
	return true;
}

static bool converge(struct guest *guest, struct viewer *viewer)
{
	if (!viewer_open(viewer, rfb_dial_tcp(guest->stage->port), true) ||
	    !choose(guest, viewer, guest->lossless))
		return false;
	for (int i = 0; i < 100; i++) {
		if (!update(viewer))
			return false;
		if (shows(viewer, guest->stage->frame))
			return true;
		if (!viewer_request(viewer, viewer->width == guest->stage->frame->width &&
						    viewer->height == guest->stage->frame->height))
			return false;
	}
	viewer->reason = "other pixels";
	return false;
}

static void *watch(void *data)
{
	struct guest *guest = data;
	struct viewer viewer = {0};

	guest->same = true;
	while (guest->same && g_atomic_int_get(guest->phase) == PHASE_CHURN) {
		guest->same = visit(guest, &viewer);
		guest->reason = viewer.reason;
		viewer_close(&viewer);
		guest->turns++;
	}
	guest->left = guest->same;
	g_atomic_int_inc(guest->away);
	if (!guest->same)
		return NULL;
	while (g_atomic_int_get(guest->phase) != PHASE_STILL)
		g_usleep(1000);
	guest->same = converge(guest, &viewer);
	guest->reason = viewer.reason;
	viewer_close(&viewer);
	return NULL;
}

static void check_memory(struct stage *stage)
{
	struct vnc_counts counts;

	vnc_count(stage->sink, &counts);
	assert_in_range(counts.encoder.groups, 0, MAX_GROUPS);
	assert_in_range(counts.encoder.pieces, 0, MAX_PIECES);
	assert_in_range(counts.encoder.bytes, 0, MAX_BYTES);
}

/* Bytes allocated by all of this process, its viewers too, but for pictures. */
static size_t heap_used(void)
{
	size_t used, held, bytes;
	unsigned int frames;

	heap_count(&used, &held);
	frame_held(&frames, &bytes);
	return used - MIN(used, bytes);
}

/* Who has left is buried a moment later. */
static bool heap_falls_to(size_t limit)
{
	for (int i = 0; i < 300 && heap_used() > limit; i++)
		g_usleep(1000);
	return heap_used() <= limit;
}

static size_t page_kib(void)
{
	return (size_t)sysconf(_SC_PAGESIZE) >> 10;
}

/* Pages of this process in memory: for those who read, as others decide about it. */
static size_t resident(void)
{
	unsigned long all = 0, here = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &all, &here), 2);
	fclose(file);
	return here;
}

static void paint(struct stage *stage, struct tally *tally, uint32_t turn)
{
	if (turn % 40 == 39) {
		stage_resize(stage, 600 + turn * 7 % (MAX_SIDE - 600), 200 + turn % 90);
		tally->resizes++;
	}
	if (turn % 3)
		stage_move(stage, &(struct detile_rect){turn % 40, turn * 7 % 100, 264, 100},
			   turn % 2 ? 9 : 0, -8, true);
	else
		stage_paint(stage, turn * 31 % 600, turn * 17 % 200, 200, 90);
	check_memory(stage);
	g_usleep(5000);
}

/* How many long rounds; 0: short ones. */
static uint32_t long_rounds(void)
{
	const char *minutes = getenv("PLANECAST_CHURN_MINUTES");

	if (minutes)
		return (uint32_t)(strtoul(minutes, NULL, 10) * G_TIME_SPAN_MINUTE / LONG_US);
	return getenv("PLANECAST_LONG") ? LONG_ROUNDS : 0;
}

/* Until there were enough actions, or for long. A guest that has gone away has failed. */
static void churn(struct stage *stage, struct tally *tally, gint *away)
{
	gint64 end = g_get_monotonic_time() + LONG_US;
	uint32_t turn = 0;

	while ((long_rounds() ? g_get_monotonic_time() < end
			      : g_atomic_int_get(&tally->actions) < ACTIONS) &&
	       !g_atomic_int_get(away))
		paint(stage, tally, turn++);
}

static struct tally play_round(struct stage *stage, uint32_t round)
{
	struct guest guests[GUESTS];
	pthread_t threads[GUESTS];
	gint phase = PHASE_CHURN, away = 0;
	struct tally tally = {0};

	for (uint32_t i = 0; i < GUESTS; i++) {
		guests[i] = (struct guest){.stage = stage,
					   .phase = &phase,
					   .tally = &tally,
					   .away = &away,
					   .lossless = i % 2,
					   .seed = (round * GUESTS + i) * 77 + 1};
		pthread_create(&threads[i], NULL, watch, &guests[i]);
	}
	churn(stage, &tally, &away);
	g_atomic_int_set(&phase, PHASE_END);
	/* Those who wait for a change get one. */
	while (g_atomic_int_get(&away) < GUESTS) {
		stage_paint(stage, 0, 0, 5, 5);
		g_usleep(5000);
	}
	g_atomic_int_set(&phase, PHASE_STILL);
	for (uint32_t i = 0; i < GUESTS; i++) {
		pthread_join(threads[i], NULL);
		if (!guests[i].same)
			fail_msg("viewer %u after %u visits, %s: %s", i, guests[i].turns,
				 guests[i].left ? "in the end" : "on the way",
				 guests[i].reason ? guests[i].reason : "?");
	}
	return tally;
}

static void check_nothing_kept(struct stage *stage)
{
	struct vnc_counts counts;

	assert_true(stage_wait(stage, stage_has_clients, 0));
	vnc_count(stage->sink, &counts);
	assert_int_equal(counts.encoder.groups, 0);
	assert_int_equal(counts.encoder.pieces, 0);
	assert_int_equal(counts.encoder.bytes, 0);
	assert_true(counts.encoder.encoded);
}

static void test_viewers_come_and_go_and_change_their_minds(void **state)
{
	uint32_t rounds = long_rounds();
	struct stage stage;
	size_t first = 0;

	(void)state;
	stage_open(&stage, NULL, 700, 300);
	stage.motion = motion_create();
	for (uint32_t i = 0; i < (rounds ? rounds : ROUNDS); i++) {
		struct tally tally;

		if (rounds)
			alarm(LONGEST);
		tally = play_round(&stage, i);

		check_nothing_kept(&stage);
		if (!i)
			first = heap_used();
		if (!heap_falls_to(first + SLACK))
			fail_msg("%zu KiB of the heap are in use, %zu after the first round",
				 heap_used() >> 10, first >> 10);
		if (rounds)
			print_message("%u s: %d visits, %d settings, %d sizes; %zu KiB of the heap "
				      "in use, %zu KiB resident\n",
				      (unsigned int)((i + 1) * LONG_US / G_TIME_SPAN_SECOND),
				      tally.visits, tally.choices, tally.resizes, heap_used() >> 10,
				      resident() * page_kib());
	}
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_viewers_come_and_go_and_change_their_minds),
	};

	heap_settle();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
