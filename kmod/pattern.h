/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test pictures, shared by the simulated device (src/source_sim.c) and by mplane's painter:
 * every pixel follows from (kind, seed, width, height, frame, x, y) and from nothing else.
 * Integers only, no libc, no allocation: builds in the kernel and in user space.
 */
#ifndef PATTERN_H
#define PATTERN_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
#endif

enum pattern_kind {
	PATTERN_OFF,     /* all black */
	PATTERN_DESKTOP, /* a desktop: windows, text being typed, one small window that moves */
	PATTERN_BARS,    /* colour bars, the frame number stamped in the first pixels */
	PATTERN_VIDEO,   /* every pixel changes in every frame, smooth as a film */
	PATTERN_CLOCK,   /* a still picture with a clock of digits that counts frames */
	PATTERN_STATIC,  /* one detailed still: the frame number is ignored */
	PATTERN_NOISE,   /* every pixel random in every frame */
	/* Work to measure with; the frame number is stamped as in bars. */
	PATTERN_TYPING, /* a page of text, a character more in every frame */
	PATTERN_SCROLL, /* a column of text that moves up a line in every frame */
	PATTERN_MOVIE,  /* a window with a video, a quarter of the picture, before a still */
	PATTERN_FILM,   /* the video in the whole picture, with a fine texture */
	PATTERN_KINDS,
};

struct pattern {
	enum pattern_kind kind;
	uint32_t seed;
	uint32_t width, height; /* pixels */
};

struct pattern_rect {
	uint32_t x, y, width, height;
};

#define PATTERN_MAX_RECTS 8

/* "desktop" etc.; NULL for a kind out of range. */
const char *pattern_name(enum pattern_kind kind);

/* The kind of that name, or -1. */
int pattern_kind_from_name(const char *name);

/* Writes pixels x .. x+n-1 of row y of a frame as XRGB8888 (X byte 0). n, x and y lie inside. */
void pattern_row(const struct pattern *pattern, uint64_t frame, uint32_t y, uint32_t x, uint32_t n,
		 uint32_t *out);

/*
 * What can differ between frame - 1 and frame, as at most PATTERN_MAX_RECTS rectangles that lie
 * inside the picture; returns how many (0: nothing changed). Frame 0 is wholly damaged.
 */
unsigned int pattern_damage(const struct pattern *pattern, uint64_t frame,
			    struct pattern_rect rects[PATTERN_MAX_RECTS]);

#endif
