/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's agent says to SPICE clients, said by planecast: their clipboards are joined with
 * that of the other viewers. Bytes are those of the agent's device, chunks of messages
 * (spice/vd_agent.h); what comes in is a client's word, so it is bounded and may be anything.
 *
 * Pure: one thread, no descriptor.
 */
#ifndef PLANECAST_AGENT_TALK_H
#define PLANECAST_AGENT_TALK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct agent_talk;

/*
 * resizes: clients may ask for another size. copied() gets a text (clipboard.h) that a client has
 * copied; NULL: there is no clipboard. Never returns NULL.
 */
struct agent_talk *agent_talk_create(bool resizes, void (*copied)(GBytes *text, void *data),
				     void *data);

/* Somebody else has copied this: clients are offered it, now and when they come. */
void agent_talk_offer(struct agent_talk *talk, GBytes *text);

/* Bytes of clients; all are taken. */
void agent_talk_take(struct agent_talk *talk, const uint8_t *bytes, size_t length);

/* Bytes for clients, at most so many; returns how many, 0: there are none now. */
size_t agent_talk_give(struct agent_talk *talk, uint8_t *bytes, size_t length);

void agent_talk_destroy(struct agent_talk *talk); /* takes NULL */

#endif
