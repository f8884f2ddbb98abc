/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who failed to prove a password waits: a few failures are free, then the time doubles with each
 * one, up to a minute. Bounded memory: when it is full, the host that failed longest ago is
 * forgotten. Pure arithmetic on the caller's clock (microseconds); one thread at a time.
 */
#ifndef PLANECAST_BACKOFF_H
#define PLANECAST_BACKOFF_H

#include <glib.h>

#define BACKOFF_FREE   3 /* failures without a wait */
#define BACKOFF_FIRST  G_TIME_SPAN_SECOND
#define BACKOFF_LONG   (60 * G_TIME_SPAN_SECOND)
#define BACKOFF_FORGET (15 * G_TIME_SPAN_MINUTE) /* after the last failure */
#define BACKOFF_HOSTS  1024u

struct backoff;

struct backoff *backoff_create(void);
void backoff_destroy(struct backoff *backoff); /* takes NULL */

gboolean backoff_waits(struct backoff *backoff, const char *host, gint64 now);
void backoff_failed(struct backoff *backoff, const char *host, gint64 now);
void backoff_proved(struct backoff *backoff, const char *host); /* forgets its failures */

#endif
