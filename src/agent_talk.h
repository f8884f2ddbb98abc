/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The talk of a guest's agent with SPICE clients, of which planecast is either: to clients it says
 * what an agent would, and to a real agent what a client would; so their clipboards are joined with
 * that of the other viewers. Bytes are those of the agent's device, chunks of messages
 * (spice/vd_agent.h); what comes in is bounded and may be anything.
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
 * resizes: the other side may ask for another size. copied() gets a text (clipboard.h) that it has
 * copied; NULL: there is no clipboard. Never returns NULL.
 */
struct agent_talk *agent_talk_create(bool resizes, void (*copied)(GBytes *text, void *data),
				     void *data);

/* Says what this side can do, and asks the other one, which an agent waits for. */
void agent_talk_greet(struct agent_talk *talk);

/* It has said what it can. */
bool agent_talk_has_other(const struct agent_talk *talk);

/* Asks for one monitor of that size. False: nobody is there who has said that he takes it. */
bool agent_talk_resize(struct agent_talk *talk, uint32_t width, uint32_t height);

/* Somebody else has copied this: the other side is offered it, now and when it comes. */
void agent_talk_offer(struct agent_talk *talk, GBytes *text);

/* Bytes of the other side; all are taken. */
void agent_talk_take(struct agent_talk *talk, const uint8_t *bytes, size_t length);

/* Bytes for it, at most so many; returns how many, 0: there are none now. */
size_t agent_talk_give(struct agent_talk *talk, uint8_t *bytes, size_t length);

void agent_talk_destroy(struct agent_talk *talk); /* takes NULL */

#endif
