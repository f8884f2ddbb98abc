/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the viewers of all benchmarks do alike: ask, take, and read the number in the picture. */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/viewer.h"

/* Microseconds of CLOCK_MONOTONIC. */
int64_t bench_now_us(void);

/* A socket to a port of 127.0.0.1, as soon as somebody listens there; -1 after some seconds. */
int bench_dial(int port);

/* The frame's number (mod 2^32) that kmod/pattern.c stamps into the first rows. */
uint32_t bench_stamp(const struct viewer *viewer);

/*
 * Takes one message, as TigerVNC's viewer does: the next request goes out when an update begins to
 * come; with continuous, only until the server offers ContinuousUpdates. *bytes is what the message
 * took. False if the connection is over.
 */
bool bench_take(struct viewer *viewer, bool continuous, uint64_t *bytes);

#endif
