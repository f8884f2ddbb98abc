/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of what was sent to a client may be under way, where the client answers fences: a mark
 * (a fence of the server's own) follows each update, and its answer tells that all before it was
 * taken and drawn, and how long that took. Pure arithmetic on a clock that the caller has; the
 * owner locks.
 *
 * An update goes when nothing is under way, or when there is room: so a slow link gets as many
 * frames as it carries, each as new as can be, instead of a queue of old ones.
 */
#ifndef PLANECAST_VNC_WINDOW_H
#define PLANECAST_VNC_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define VNC_WINDOW_MARKS 16u
#define VNC_WINDOW_LEAST 65536u    /* bytes */
#define VNC_WINDOW_MOST  16777216u /* bytes */
#define VNC_WINDOW_SLACK 25000     /* us over the shortest round trip that are no queue yet */
#define VNC_WINDOW_LATE  1000000   /* us after which an answer may be missing */
#define VNC_WINDOW_DEAF  2u        /* missing ones in a row: the client does not answer at all */

struct vnc_mark {
	uint32_t number;
	uint64_t position; /* of the stream of updates, in bytes */
	int64_t time;
};

struct vnc_window {
	struct vnc_mark marks[VNC_WINDOW_MARKS]; /* not answered yet, the oldest first */
	unsigned int count;
	uint32_t number; /* of the last mark */
	uint64_t sent, answered;
	uint64_t room;        /* bytes */
	int64_t changed;      /* when room did, last */
	int64_t best, last;   /* round trips in us, 0: none yet */
	bool filled;          /* room was what held an update back */
	unsigned int missing; /* answers in a row */
};

void vnc_window_init(struct vnc_window *window);

/* May an update go? Remembers that one may not. */
bool vnc_window_is_open(struct vnc_window *window);

/*
 * So many bytes more were sent, and a mark follows them: write it after this call, so that its
 * answer is never early. Returns its number.
 */
uint32_t vnc_window_mark(struct vnc_window *window, uint64_t bytes, int64_t now);

/* A mark was answered; the number may be anything. */
void vnc_window_answer(struct vnc_window *window, uint32_t number, int64_t now);

/*
 * To be called a few times a second. taken: nothing waits in the client's socket. What was taken
 * long ago and is not answered is no longer waited for; true then.
 */
bool vnc_window_look(struct vnc_window *window, bool taken, int64_t now);

#endif
