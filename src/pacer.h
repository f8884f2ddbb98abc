/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pacer: when to look at the plane. Pure arithmetic on the caller's clock (microseconds, any
 * origin), no I/O, so that every rule is tested exactly.
 *
 *   asleep  no client: never looks
 *   active  something changed lately: as often as clients take frames, at most max_fps
 *   idle    clients, no change: from max_fps down to 2 Hz, each unchanged look doubling the
 *           interval; with an event source not at all until the event
 *
 * At 2 Hz a look may be a sparse one (capture_probe()), but for an audit now and then: what it must
 * see at once is high, and what is small may take DETILE_PROBE_PASSES looks. Nothing is looked at
 * sparsely until a second after the last change or input, because what follows those is often
 * small.
 */
#ifndef PLANECAST_PACER_H
#define PLANECAST_PACER_H

#include <stdbool.h>
#include <stdint.h>

#define PACER_NEVER            INT64_MAX
#define PACER_IDLE_INTERVAL_US 500000 /* 2 Hz */
#define PACER_AUDIT_LOOKS      64u    /* sparse looks between two whole ones */

enum pacer_state {
	PACER_ASLEEP,
	PACER_IDLE,
	PACER_ACTIVE,
};

struct pacer {
	int64_t frame_us;      /* 1 / max_fps */
	int64_t interval_us;   /* now between two looks */
	int64_t last_us;       /* when the last look began; PACER_NEVER before the first */
	bool has_events;       /* the source wakes us when something changes */
	bool urgent;           /* a new client, a mode change: look now */
	bool input;            /* the guest was given input: look when a client waits */
	bool event;            /* the source says that something changed */
	int64_t not_before_us; /* a look that had to be given up is not repeated at once */
	unsigned int clients, waiting;
	unsigned int sparse; /* looks since the last whole one */
};

/* max_fps from 1 to 1000. */
void pacer_init(struct pacer *pacer, unsigned int max_fps, bool has_events);

/* Who watches. Falling to no client puts the pacer asleep. */
void pacer_demand(struct pacer *pacer, unsigned int clients, unsigned int waiting);

void pacer_urge(struct pacer *pacer);  /* look at once, whoever waits */
void pacer_event(struct pacer *pacer); /* the source's event fired */

/* The guest was given input: look as soon as a client waits, however long nothing changed. */
void pacer_input(struct pacer *pacer);

/* Whether the look that is due may be a sparse one. */
bool pacer_is_sparse(const struct pacer *pacer);

/* A look began at now_us and found the pixels changed or not. */
void pacer_looked(struct pacer *pacer, int64_t now_us, bool changed);

/* A look at now_us had to be given up (the plane changed meanwhile): again, one frame later. */
void pacer_retry(struct pacer *pacer, int64_t now_us);

/* When to look next, at or after now_us, or PACER_NEVER (until a call above). */
int64_t pacer_next(const struct pacer *pacer, int64_t now_us);

/* Whether the source's event is worth waiting for now. */
bool pacer_wants_event(const struct pacer *pacer);

/* How often a second it would look now if nothing new came: 0 asleep, or until an event. */
double pacer_rate(const struct pacer *pacer);

enum pacer_state pacer_state(const struct pacer *pacer);
const char *pacer_state_name(enum pacer_state state);

#endif
