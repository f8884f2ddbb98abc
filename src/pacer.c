/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pacer.h"

#define SECOND_US 1000000

void pacer_init(struct pacer *pacer, unsigned int max_fps, bool has_events)
{
	*pacer = (struct pacer){
		.frame_us = SECOND_US / max_fps,
		.interval_us = SECOND_US / max_fps,
		.last_us = PACER_NEVER,
		.not_before_us = INT64_MIN,
		.has_events = has_events,
	};
}

void pacer_demand(struct pacer *pacer, unsigned int clients, unsigned int waiting)
{
	if (clients > pacer->clients)
		pacer->urgent = true;
	if (!clients)
		pacer->urgent = pacer->input = false;
	pacer->clients = clients;
	pacer->waiting = waiting;
}

void pacer_urge(struct pacer *pacer)
{
	pacer->urgent = true;
}

void pacer_event(struct pacer *pacer)
{
	pacer->event = true;
}

void pacer_input(struct pacer *pacer)
{
	pacer->input = true;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t idle_interval(const struct pacer *pacer)
{
	return later(PACER_IDLE_INTERVAL_US, pacer->frame_us);
}

bool pacer_is_sparse(const struct pacer *pacer)
{
	return !pacer->has_events && !pacer->urgent && !pacer->input && !pacer->event &&
	       pacer->interval_us == idle_interval(pacer) && pacer->last_us != PACER_NEVER &&
	       pacer->sparse < PACER_AUDIT_LOOKS;
}

void pacer_looked(struct pacer *pacer, int64_t now_us, bool changed)
{
	pacer->sparse = pacer_is_sparse(pacer) ? pacer->sparse + 1 : 0;
	if (changed || pacer->urgent || pacer->input)
		pacer->interval_us = pacer->frame_us;
	else
		pacer->interval_us = earlier(2 * pacer->interval_us, idle_interval(pacer));
	pacer->last_us = now_us;
	pacer->urgent = false;
	pacer->input = false;
	pacer->event = false;
}

void pacer_retry(struct pacer *pacer, int64_t now_us)
{
	pacer->interval_us = pacer->frame_us;
	pacer->last_us = now_us;
	pacer->not_before_us = now_us + pacer->frame_us;
	pacer->urgent = true;
}

int64_t pacer_next(const struct pacer *pacer, int64_t now_us)
{
	if (!pacer->clients)
		return PACER_NEVER;
	if (pacer->urgent || pacer->last_us == PACER_NEVER)
		return later(now_us, pacer->not_before_us);
	if (!pacer->waiting)
		return PACER_NEVER;
	if (pacer->event || pacer->input)
		return later(now_us, pacer->last_us + pacer->frame_us);
	if (pacer->has_events)
		return PACER_NEVER;
	return later(now_us, pacer->last_us + pacer->interval_us);
}

bool pacer_wants_event(const struct pacer *pacer)
{
	return pacer->has_events && pacer->clients && !pacer->event;
}

double pacer_rate(const struct pacer *pacer)
{
	if (!pacer->clients || pacer->has_events)
		return 0;
	return (double)SECOND_US / (double)pacer->interval_us;
}

enum pacer_state pacer_state(const struct pacer *pacer)
{
	if (!pacer->clients)
		return PACER_ASLEEP;
	return pacer->interval_us > pacer->frame_us ? PACER_IDLE : PACER_ACTIVE;
}

const char *pacer_state_name(enum pacer_state state)
{
	static const char *const names[] = {"asleep", "idle", "active"};

	return names[state];
}
